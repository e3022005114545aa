export { fastifyRoute, nodeListener, type WebHandler } from '../http/handler.js'
export type { WecomCallback } from './callbacks.js'
export { CallbackCrypt, type CallbackKeys, NotVerified } from './crypt.js'
export { type WecomSourceOptions, wecomSource } from './source.js'
