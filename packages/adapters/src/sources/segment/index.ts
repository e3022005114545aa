export { fastifyRoute, nodeListener, type WebHandler } from '../http/handler.js'
export type { EventNames } from '../http/names.js'
export { SEGMENT_NAMES } from './records.js'
export { type SegmentSourceOptions, segmentSource } from './source.js'
