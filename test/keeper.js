// Cleans up after a run, however the run ends. It is told what to do in JSON lines on stdin; when stdin closes,
// because the run asked for it or because the run is dead (crash, Ctrl-C, kill -9), it stops the server it started,
// drops the database it was told about, removes the directory, and exits.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync, rmSync } from 'node:fs'
import { createInterface } from 'node:readline'

/**
 * @typedef {{ command: string, args: string[], cwd: string, env: Record<string, string>, log: string, uid?: number, gid?: number }} Start
 * @typedef {{ url: string, name: string }} Drop
 * @typedef {{ directory?: string, start?: Start, drop?: Drop }} Order
 */

/** @type {string | undefined} */
let directory
/** @type {import('node:child_process').ChildProcess | undefined} */
let server
/** @type {Drop | undefined} */
let drop

// Ctrl-C reaches the whole terminal group: the keeper outlives it to do its work.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => {})
// Nobody reads us any more when the run is dead.
process.stdout.on('error', () => {})

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {Order} */
  const order = JSON.parse(line)
  if (order.directory) directory = order.directory
  if (order.drop) drop = order.drop
  if (order.start) start(order.start)
}

if (server && server.exitCode === null && server.signalCode === null) {
  server.kill('SIGINT') // fast, of PostgreSQL and Redis: open sessions are cut
  const late = setTimeout(() => server?.kill('SIGQUIT'), 10_000)
  await once(server, 'exit')
  clearTimeout(late)
}
if (drop) {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: drop.url })
  await client.connect()
  await client.query(`drop database if exists ${client.escapeIdentifier(drop.name)} with (force)`)
  await client.end()
}
if (directory) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })

/** @param {Start} order */
function start({ command, args, cwd, env, log, uid, gid }) {
  const output = openSync(log, 'a')
  server = spawn(command, args, {
    cwd,
    env,
    stdio: ['ignore', output, output],
    detached: true,
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
  })
  const exited = () => process.stdout.write('exited\n')
  server.on('error', exited)
  server.on('exit', exited)
}
