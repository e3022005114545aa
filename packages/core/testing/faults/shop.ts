import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import type { Failpoint, FailpointPlan } from '../../src/testing/faults/failpoints.js'
import type { ProviderEntry } from '../../src/testing/faults/provider.js'
import type { Accepted, Orders, Reported, Told, Tried, Ways } from './orders.js'
import type { ProviderOrders } from './provider-process.js'
import { CARELESS, PROVIDER_WINDOW_MS, type TownTime } from './town.js'

export interface ShopOptions {
  readonly database: string
  readonly schema: string
  readonly seed: number
  /** How many times as fast as the machine's its clock is. */
  readonly speed: number
  /** How many of the provider's answers are faults. */
  readonly faults: number
  /** How long each process rests after what it has taken in, in milliseconds of the machine. Default 5. */
  readonly restMs?: number
  readonly mutant?: string
  /** For how long the provider drops repeats; as long as its channel says when left out. */
  readonly providerWindowMs?: number
}

/** One process of a shop. */
export interface ShopProcess {
  readonly child: ChildProcess
  /** When it works, or has ended before it did. */
  readonly started: Promise<void>
  /** When it has ended, by whatever. */
  readonly ended: Promise<void>
  /** When it has taken in what it was to, and where it has been; undefined where it ended before. */
  readonly done: Promise<readonly Failpoint[] | undefined>
}

/** A shop of several processes over one database, and the provider that they send by. */
export class Shop {
  private names = 0
  private readonly processes = new Set<ShopProcess>()

  private constructor(
    readonly options: ShopOptions,
    readonly time: TownTime,
    private readonly folder: string,
    private readonly program: string,
    private readonly provider: ChildProcess,
    readonly providerUrl: string,
  ) {}

  static async open(options: ShopOptions): Promise<Shop> {
    const folder = await mkdtemp(path.join(tmpdir(), 'linli-shop-'))
    const time = { began: Date.now(), speed: options.speed }
    const { seed, faults, providerWindowMs: windowMs = PROVIDER_WINDOW_MS } = options
    const log = path.join(folder, 'provider.ndjson')
    const orders: ProviderOrders = { log, seed, faults, windowMs, repeats: CARELESS, time }
    const provider = fork(await program('provider-process'), {
      env: { ...process.env, LINLI_PROVIDER: JSON.stringify(orders) },
      execArgv: [],
    })
    const [url] = (await once(provider, 'message')) as [string]
    return new Shop(options, time, folder, await program('shop-process'), provider, url)
  }

  /** Starts one more process that takes in so many happenings. It goes by `ways`, where there are others. */
  start(events: number, plan?: FailpointPlan, ways: Partial<Ways> = {}): ShopProcess {
    const { database, schema, seed, mutant, restMs = 5 } = this.options
    const name = `s${seed}-${++this.names}`
    const orders: Orders = {
      name,
      database,
      provider: this.providerUrl,
      ...ways,
      schema,
      tried: path.join(this.folder, `${name}.tried`),
      accepted: path.join(this.folder, `${name}.accepted`),
      time: this.time,
      events,
      restMs,
      ...(plan && { plan }),
      ...(mutant !== undefined && { mutant }),
    }
    const env = { ...process.env, LINLI_SHOP: JSON.stringify(orders) }
    const child = fork(this.program, {
      env,
      execArgv: [],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    })
    const ended = once(child, 'exit').then(() => undefined)
    const done = new Promise<readonly Failpoint[] | undefined>((resolve) => {
      child.on('message', (report: Reported) => report.kind === 'done' && resolve(report.reached))
      void ended.then(() => resolve(undefined))
    })
    const started = new Promise<void>((resolve, reject) => {
      child.on('message', (report: Reported) => report.kind === 'started' && resolve())
      // One that is to fail at a point of its start never says that it has started.
      void ended.then(() =>
        child.exitCode === null || plan !== undefined
          ? resolve()
          : reject(new Error(`A shop's process ended with ${child.exitCode}.`)),
      )
    })
    // Not all who start one wait for that.
    started.catch(() => undefined)
    const one = { child, started, ended, done }
    this.processes.add(one)
    void ended.then(() => this.processes.delete(one))
    return one
  }

  get running(): readonly ShopProcess[] {
    return [...this.processes]
  }

  /** Has all processes take nothing in any more, and the provider fail no more. */
  calm(): void {
    this.provider.send('calm')
    for (const one of this.processes) this.tell(one, 'calm')
  }

  /** It may have ended meanwhile. */
  tell({ child }: ShopProcess, word: Told): void {
    child.send(word, () => undefined)
  }

  /** What the provider has written down. */
  sent(): readonly ProviderEntry[] {
    return linesOf(path.join(this.folder, 'provider.ndjson'))
  }

  /** What was taken in for certain. */
  accepted(): readonly Accepted[] {
    return this.writtenBy<Accepted>('accepted')
  }

  /** What was to be taken in, whether it was or not. */
  tried(): readonly Tried[] {
    return this.writtenBy<Tried>('tried')
  }

  private writtenBy<T>(kind: 'tried' | 'accepted'): readonly T[] {
    return Array.from({ length: this.names }, (_, index) =>
      linesOf<T>(path.join(this.folder, `s${this.options.seed}-${index + 1}.${kind}`)),
    ).flat()
  }

  async close(): Promise<void> {
    for (const { child } of this.processes) child.kill('SIGKILL')
    await Promise.all([...this.processes].map(({ ended }) => ended))
    this.provider.kill('SIGKILL')
    await rm(this.folder, { recursive: true, force: true })
  }
}

function linesOf<T>(file: string): readonly T[] {
  let text = ''
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return []
  }
  // A process that dies while it writes leaves half a line: nobody was told.
  const whole = text.slice(0, text.lastIndexOf('\n') + 1)
  return whole
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as T)
}

const programs = new Map<string, Promise<string>>()
const HERE = path.dirname(fileURLToPath(import.meta.url))
const REPOSITORY = path.resolve(HERE, '../../../..')

/**
 * A program of this folder as one file of JavaScript with all that it loads, made once: it starts many times, and has to start
 * quickly.
 */
export function program(name: 'shop-process' | 'provider-process' | 'folder-process'): Promise<string> {
  const known = programs.get(name) ?? bundle(name)
  programs.set(name, known)
  return known
}

/** Packages of the older kind ask for it when they load one another. */
const CALLS_REQUIRE =
  "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);"

async function bundle(name: string): Promise<string> {
  // Beside the packages that it loads.
  const folder = path.join(REPOSITORY, 'node_modules', '.cache', 'linli-faults')
  mkdirSync(folder, { recursive: true })
  const outfile = path.join(folder, `${name}-${process.pid}.mjs`)
  process.once('exit', () => rmSync(outfile, { force: true }))
  await build({
    entryPoints: [path.join(HERE, `${name}.ts`)],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    // It is not loaded on PostgreSQL, and brings files of its own.
    external: ['@electric-sql/pglite', 'pg-native'],
    banner: { js: CALLS_REQUIRE },
    alias: { '@linli/rules': path.join(REPOSITORY, 'packages/rules/src/index.ts') },
    logLevel: 'error',
  })
  return outfile
}
