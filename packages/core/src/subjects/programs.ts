import {
  compileProgram,
  type Halt,
  type JourneyDefinition,
  type Pack,
  PackError,
  Problems,
  type Program,
  readPack,
} from '@linli/rules'
import { EngineError } from '../errors.js'
import type { KnownJourney, StoreTransaction, Version } from '../ports/store.js'

/** A version of the rules, ready to run. */
export interface Edition {
  readonly version: VersionFacts
  readonly pack: Pack
  readonly program: Program
}

/** What is said of a version, without its rules. */
export type VersionFacts = Omit<Version, 'definitions'>

/** How many compiled versions are kept at hand, apart from the newest. */
const KEPT = 3

/** The rules as they were published, compiled once in each process. */
export class Programs {
  private readonly editions = new Map<number, Edition>()
  private readonly facts = new Map<number, VersionFacts>()

  /** `compiled`: what the host has compiled already. */
  constructor(private compiled?: Program) {}

  /** The newest version that this process has worked by. */
  newest: Edition | undefined

  known(number: number): Edition | undefined {
    return this.editions.get(number)
  }

  /**
   * What a transaction works by: the newest version, which stays the newest until the transaction ends. Asked for before
   * anything is locked.
   *
   * @throws EngineError `rules.none` when nothing was published yet.
   */
  async in(tx: StoreTransaction): Promise<Edition> {
    const number = await tx.holdVersion()
    return this.editions.get(number) ?? this.at(tx, number)
  }

  /** The version that was in force at an instant; before the first, that one. */
  async inForceAt(tx: StoreTransaction, at: number): Promise<Edition> {
    const newest = await this.in(tx)
    let { number } = newest.version
    while (number > 1 && ((await this.factsOf(tx, number))?.publishedAt ?? 0) > at) number -= 1
    return this.at(tx, number)
  }

  /** @throws EngineError `rules.unreadable` when this release of linli cannot read the version. */
  async at(tx: StoreTransaction, number: number): Promise<Edition> {
    const known = this.editions.get(number)
    if (known !== undefined) return known
    const version = number === 0 ? undefined : await tx.readVersion(number)
    if (version === undefined) throw nothingPublished()
    const edition = this.read(version, await tx.readJourneys(number))
    this.keep(edition)
    return edition
  }

  /** What is said of a version: cheaper than the version itself where it need not run. */
  async factsOf(tx: StoreTransaction, number: number): Promise<VersionFacts | undefined> {
    const known = this.facts.get(number) ?? this.editions.get(number)?.version
    if (known !== undefined) return known
    const version = await tx.readVersion(number)
    if (version !== undefined) this.facts.set(number, factsOf(version))
    return version
  }

  /** Remembers a pack that was compiled, so that its version need not be compiled again. */
  remember(compiled: Program): void {
    this.compiled = compiled
  }

  private read(version: Version, journeys: readonly KnownJourney[]): Edition {
    const { number } = version
    const problems = new Problems()
    const pack = readPack([{ file: `(version ${number})`, value: version.definitions }], problems)
    try {
      if (problems.hasErrors) throw new PackError(problems.list)
      const own = this.compiledAs(version.hash) ?? compileProgram(pack)
      const program = withHalts(withJourneys(pack, own, journeys), version.halts)
      return { version: factsOf(version), pack, program }
    } catch (error) {
      throw error instanceof PackError ? unreadable(number, error) : error
    }
  }

  /** Rules that were compiled already: a version that only pauses something has those of the one before. */
  private compiledAs(wanted: string): Program | undefined {
    if (this.compiled?.hash === wanted) return this.compiled
    return [...this.editions.values()].find(({ version: { hash } }) => hash === wanted)?.program
  }

  private keep(edition: Edition): void {
    this.editions.set(edition.version.number, edition)
    if (edition.version.number > (this.newest?.version.number ?? 0)) this.newest = edition
    const newest = this.newest?.version.number
    for (const number of this.editions.keys()) {
      if (this.editions.size <= KEPT + 1) return
      if (number !== newest && number !== edition.version.number) this.editions.delete(number)
    }
  }
}

function factsOf({ definitions: _, ...facts }: Version): VersionFacts {
  return facts
}

function unreadable(version: number, cause: PackError): EngineError {
  const message = `Version ${version} of the rules cannot be read by this release of linli: ${cause.message}`
  return new EngineError('rules.unreadable', message, { version }, { cause })
}

function nothingPublished(): EngineError {
  const message = `The database has no rules yet. Publish some: \`engine.publish(pack)\`, or start one engine with \`rules: pack\`.`
  return new EngineError('rules.none', message)
}

/** A compiled pack with older definitions of journeys, which some runs may have begun with. */
export function withJourneys(pack: Pack, compiled: Program, journeys: readonly KnownJourney[]): Program {
  const older = journeys.filter(({ hash }) => !compiled.journeysByHash.has(hash)).map(({ definition }) => definition)
  if (older.length === 0) return compiled
  return (
    tryToCompile(pack, older) ?? compileProgram(pack, { running: older.filter((one) => tryToCompile(pack, [one])) })
  )
}

function withHalts(program: Program, halts: readonly Halt[]): Program {
  const { halts: _, ...own } = program
  return halts.length === 0 ? own : { ...own, halts }
}

/** Undefined when the pack no longer has what a running journey needs: its runs end. */
function tryToCompile(pack: Pack, running: readonly JourneyDefinition[]): Program | undefined {
  try {
    return compileProgram(pack, { running })
  } catch (error) {
    if (error instanceof PackError) return undefined
    throw error
  }
}
