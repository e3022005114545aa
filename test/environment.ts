/** Whether an environment variable is set to something that means yes. */
export function isSet(name: string): boolean {
  return !['', '0', 'false'].includes(process.env[name] ?? '')
}
