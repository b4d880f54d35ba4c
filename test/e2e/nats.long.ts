import { killCollectors } from './nats_kills.ts'

killCollectors(50)
