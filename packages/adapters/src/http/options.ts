import { optionInvalid } from './errors.js'

/** The address of an option. @throws {AdapterError} `….option_invalid` where it is none of HTTP */
export function requireUrl(adapter: string, option: string, text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return url
  throw optionInvalid(adapter, option, 'no address', 'an address such as https://example.com')
}
