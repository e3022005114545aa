// For `node --import`: runs the TypeScript sources as they are, in a process of their own, as vitest does in its.
import { register } from 'node:module'
import 'tsx'

register('./source-hooks.js', import.meta.url)
