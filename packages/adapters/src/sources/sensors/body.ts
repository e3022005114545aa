import { asObject, parseObject } from '../../http/json.js'
import { BodyTooLarge, unpack } from '../http/handler.js'

/** Why a body cannot be read. */
export type BodyProblem = 'encrypted' | 'no data' | 'wrong crc' | 'not base64' | 'not gzip' | 'not JSON' | 'too large'

export type ReadRecords = { readonly records: readonly unknown[] } | { readonly problem: BodyProblem }

const BASE64 = /^[A-Za-z0-9+/\s]+={0,2}\s*$/

/**
 * Reads what a Sensors SDK posts, or puts into the address of a picture: `data` of one record or `data_list` of several, in
 * base64 of JSON, gzipped where `gzip=1`, with a checksum of the base64 in `crc` or in `ext`.
 *
 * Wire format: https://manual.sensorsdata.cn/sa/latest/tech_sdk_client_server_data-7540978.html and the SDKs' sources
 */
export function readRecords(form: string, mostBytes: number): ReadRecords {
  if (isEncrypted(form)) return { problem: 'encrypted' }
  const fields = new URLSearchParams(form)
  const text = fields.get('data_list') ?? fields.get('data')
  if (text === null || text === '') return { problem: 'no data' }
  // Some SDKs leave the + of base64 as it is, where a form says a space by it.
  const base64 = text.replaceAll(' ', '+')
  if (!hasRightCrc(fields, base64)) return { problem: 'wrong crc' }
  if (!BASE64.test(base64)) return { problem: 'not base64' }
  return parse(Buffer.from(base64, 'base64'), fields.get('gzip') === '1', mostBytes)
}

function parse(bytes: Buffer, isPacked: boolean, mostBytes: number): ReadRecords {
  try {
    const json: unknown = JSON.parse((isPacked ? unpack(bytes, mostBytes) : bytes).toString())
    return isEncryptedRecord(json) ? { problem: 'encrypted' } : { records: Array.isArray(json) ? json : [json] }
  } catch (error) {
    if (error instanceof SyntaxError) return { problem: 'not JSON' }
    return { problem: error instanceof BodyTooLarge ? 'too large' : 'not gzip' }
  }
}

function isEncrypted(form: string): boolean {
  return form.startsWith('{') && isEncryptedRecord(parseObject(form))
}

function isEncryptedRecord(json: unknown): boolean {
  const record = asObject(json)
  return record !== undefined && 'ekey' in record && 'payloads' in record
}

function hasRightCrc(fields: URLSearchParams, base64: string): boolean {
  const given = fields.get('crc') ?? new URLSearchParams(fields.get('ext') ?? '').get('crc')
  return given === null || Number(given) === hashCode(base64)
}

/** Java's `String.hashCode`: what the SDKs call crc. */
export function hashCode(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}
