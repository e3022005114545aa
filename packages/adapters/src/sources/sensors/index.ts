export { fastifyRoute, nodeListener, type WebHandler } from '../http/handler.js'
export type { EventNames } from '../http/names.js'
export { SENSORS_NAMES } from './records.js'
export { type SensorsSourceOptions, sensorsSource } from './source.js'
