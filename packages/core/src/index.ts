// Run an engine
export { createEngine } from './engine.js'
export type {
  DecisionFilter,
  Engine,
  EngineOptions,
  IngestOptions,
  Merge,
  PublicationState,
  Published,
  PublishOptions,
  Subject,
  Suggestion,
} from './door.js'
export type { RetentionOptions } from './operations/retention.js'
export type { SuggestionMark } from './delivery/suggestions.js'
export type { RunName } from './operations/cancelling.js'
export type { Counts } from './operations/counts.js'
export type { Health } from './operations/health.js'
export type { CountFilter, HaltCall, Halted, Halts, OperatorNote } from './operations/operations.js'
export type { Parked, ParkedCoupon, ParkedMessage, ParkedWish } from './operations/parked.js'
export type { Resolution, ResolutionNote } from './operations/resolution.js'
export type { RunFilter, RunPage, RunUnderWay } from './operations/runs.js'
export type { BudgetUse, MixUse, PolicyUse } from './operations/budgets.js'
export type { Invariant, Verification, VerifyOptions, Violation } from './operations/verify.js'
export type { HaltTarget } from '@linli/rules'
export type { Coupon, Run, SubjectKey, SubjectState } from './domain/subject.js'
export type { Codes, CodesAdded } from './offers/codes.js'
export type { CodeMaker } from './offers/issue.js'
export type { CouponFound, Redemption } from './offers/redeem.js'
export type { Progress } from './subjects/sweep.js'
export type { RedisOptions } from './queue/redis.js'
// Load rules
export { type CheckOptions, checkPack, definePack, loadPack, type Pack, PackError, reviewPack } from '@linli/rules'
// Send it events
export { type CatalogueEvent, type CatalogueEventName, EVENT_CATALOGUE } from '@linli/rules'
export type { IngestMode } from './ingest/batch.js'
export type { EntryRequest } from './ingest/entry-request.js'
export type { EventResult, IncomingEvent, IngestReport, Rejection, RejectionCode } from './ingest/event.js'
// Send it receipts
export type { Receipt, ReceiptCode, ReceiptReport, ReceiptResult } from './receipts/receipt.js'
// Ask why
export type { CancelNote, Decision, DecisionKind } from './domain/decision.js'
export type { Explained, ExplainedEvent, ExplainedRun } from './insights/explained.js'
export { type FormatOptions, formatDecision, formatExplanation, formatTrace } from './insights/format.js'
export type { Trace } from './insights/trace.js'
export type { Language } from './insights/wording.js'
export type {
  Evidence,
  EvidenceEvent,
  Explanation,
  FactExplanation,
  FactTurn,
  ScoreExplanation,
  TermExplanation,
  Turn,
} from '@linli/rules'
// Erase and export people
export type { Erasure } from './privacy/erase.js'
export type { PersonExport } from './privacy/export.js'
// Let people unsubscribe
export { type Unsubscription, UnsubscribeTokens } from './privacy/unsubscribe.js'
// Bring your own parts
export type {
  Channel,
  LookUpResult,
  MessageClass,
  MessageContent,
  Outbound,
  Recipient,
  RefusalReason,
  RepeatSafety,
  SendContext,
  SendResult,
} from './ports/channel.js'
export type { Clock } from './ports/clock.js'
export type { CopyRequest, Copywriter } from './ports/copywriter.js'
export type { CouponGrant, CouponIssuer, IssueRefusal, IssueResult } from './ports/issuer.js'
export type {
  DecisionCount,
  DecisionOrder,
  Delivery,
  DeliveryKind,
  DeliveryName,
  DeliveryState,
  EventPlace,
  Identifier,
  IdentityLink,
  InboxEntry,
  IssuedCoupon,
  KnownJourney,
  LockedSubject,
  MergeRecord,
  Operation,
  ReceiptKind,
  ReceiptMark,
  PoolCount,
  Redeemed,
  Removed,
  SavedSubject,
  Spending,
  Store,
  StoredEvent,
  StoreReads,
  StoreTransaction,
  Tombstone,
  Version,
} from './ports/store.js'
// See a journey
export { journeyGraph } from './insights/graph.js'
export { countRuns, type JourneyCounts } from './insights/run-counts.js'
// Simulate
export type { DeliveryOutcomes } from './simulation/outcomes.js'
export type { JourneyReport, SimulationReport } from './simulation/report.js'
export { type SimulateOptions, simulate } from './simulation/simulate.js'
export type { Simulation } from './simulation/tally.js'
export {
  type Difference,
  type SubjectDifference,
  type ThingDifference,
  type WhatIf,
  type WhatIfOptions,
  whatIf,
} from './simulation/what-if.js'
export { type RuleTestFailure, type RuleTestResult, runRuleTests } from './simulation/rule-tests.js'
export { virtualClock, type VirtualClock } from './queue/clocks.js'
// Handle failure
export { EngineError, type EngineErrorCode } from './errors.js'
