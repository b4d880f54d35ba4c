import { killCollectors } from './nats_kills.ts'

killCollectors(5, 1)
killCollectors(5, 3)
