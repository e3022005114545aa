import type { Window } from './window.js'

/**
 * How much a feature keeps: what the rules that read it need together. Conditions are asked for `now` or later, so what
 * can no longer count then is forgotten, and of what counts at once only as many of the latest as some rule compares with.
 */
export class Retention {
  /** So many of the latest entries that count at once decide every verdict. */
  latest = 0
  private horizonMs = 0
  private delayMs = 0
  private from = Number.POSITIVE_INFINITY

  /** A rule needs `latest` entries of a window; `slackMs` longer where what it counts lies after the entry. */
  need(latest: number, window: Window, slackMs = 0): void {
    this.latest = Math.max(this.latest, latest)
    if (window.horizonMs > 0) this.horizonMs = Math.max(this.horizonMs, window.horizonMs + slackMs)
    this.delayMs = Math.max(this.delayMs, window.delayMs)
    this.from = Math.min(this.from, window.from - slackMs)
  }

  get keepsNothing(): boolean {
    return this.latest === 0
  }

  /** Differs when more or less has to be kept. */
  get text(): string {
    const from = Number.isFinite(this.from) ? `/from ${this.from}` : ''
    return `${this.latest}/${this.horizonMs}${this.delayMs > 0 ? `/${this.delayMs}` : ''}${from}`
  }

  /** Whether an entry counts in no window any more. */
  isOver(at: number, now: number): boolean {
    return at + this.horizonMs <= now && at < this.from
  }

  /** Whether an entry has begun to count in every window. Before, no other entry can stand for it. */
  hasEntered(at: number, now: number): boolean {
    return this.delayMs === 0 || at + this.delayMs <= now
  }
}
