import { killCollectors } from './nats_kills.ts'

killCollectors(50, 1)
killCollectors(50, 3)
