/** What explanations and traces are written in. */
export type Language = 'en' | 'zh'

/** What a fact is about, in parts that each language puts together in its own order. */
export interface FactParts {
  /** The events with their filters and window: `order_paid where total > 100 in the last 30d`. */
  readonly events: string
  /** Filters and window without the events. */
  readonly filters: string
  readonly window: string
  readonly property: string
  /** The name, id or journey that it names. */
  readonly name: string
  /** Which of several: a step, a tier, a channel, a form of the time. */
  readonly detail: string
}

type Phrase = (parts: FactParts) => string

const withDetail = (text: string, before: string, detail: string) =>
  detail === '' ? text : `${text}${before}${detail}`

/** What each fact is called. */
export const FACT_PHRASES: Readonly<Record<string, Readonly<Record<Language, Phrase>>>> = {
  eventCount: { en: ({ events }) => `number of ${events}`, zh: ({ events }) => `${events} 的次数` },
  eventSum: {
    en: ({ events, property }) => `sum of ${property} of ${events}`,
    zh: ({ events, property }) => `${events} 的 ${property} 合计`,
  },
  eventAvg: {
    en: ({ events, property }) => `average ${property} of ${events}`,
    zh: ({ events, property }) => `${events} 的 ${property} 平均值`,
  },
  eventMin: {
    en: ({ events, property }) => `least ${property} of ${events}`,
    zh: ({ events, property }) => `${events} 的 ${property} 最小值`,
  },
  eventMax: {
    en: ({ events, property }) => `greatest ${property} of ${events}`,
    zh: ({ events, property }) => `${events} 的 ${property} 最大值`,
  },
  itemCount: { en: ({ events }) => `number of items of ${events}`, zh: ({ events }) => `${events} 的商品项数` },
  itemSum: {
    en: ({ events, property }) => `sum of ${property} of items of ${events}`,
    zh: ({ events, property }) => `${events} 的商品 ${property} 合计`,
  },
  eventDistinct: {
    en: ({ events, property }) => `number of different ${property} of ${events}`,
    zh: ({ events, property }) => `${events} 的不同 ${property} 个数`,
  },
  userCount: { en: ({ events }) => `number of people with ${events}`, zh: ({ events }) => `有 ${events} 的人数` },
  share: { en: ({ events }) => `share of ${events}`, zh: ({ events }) => `${events} 的占比` },
  lift: { en: ({ events }) => `lift of ${events}`, zh: ({ events }) => `${events} 相对全体的倍数` },
  rank: { en: ({ events }) => `rank by ${events}`, zh: ({ events }) => `按 ${events} 的排名` },
  firstEvent: {
    en: ({ events, property }) => `${property} of the first ${events}`,
    zh: ({ events, property }) => `首次 ${events} 的 ${property}`,
  },
  lastEvent: {
    en: ({ events, property }) => `${property} of the latest ${events}`,
    zh: ({ events, property }) => `最近一次 ${events} 的 ${property}`,
  },
  sinceFirstEvent: { en: ({ events }) => `time since the first ${events}`, zh: ({ events }) => `距首次 ${events}` },
  sinceLastEvent: { en: ({ events }) => `time since the latest ${events}`, zh: ({ events }) => `距最近一次 ${events}` },
  messageCount: {
    en: ({ filters, window }) => `number of messages${filters}${window}`,
    zh: ({ filters, window }) => `${window}已送达渠道的消息${filters}条数`,
  },
  sequence: { en: ({ events }) => `number of times ${events}`, zh: ({ events }) => `${events} 的次数` },
  trait: { en: ({ name }) => `trait ${name}`, zh: ({ name }) => `资料 ${name}` },
  relation: { en: ({ name }) => `its ${name}`, zh: ({ name }) => (name === 'leader' ? '团长' : '所属小区') },
  tag: { en: ({ name }) => `tag ${name}`, zh: ({ name }) => `标签 ${name}` },
  score: {
    en: ({ name, detail }) => (detail === '' ? `score ${name}` : `tier of score ${name}`),
    zh: ({ name, detail }) => (detail === '' ? `分数 ${name}` : `分数 ${name} 的等级`),
  },
  consent: {
    en: ({ name, detail }) => withDetail(`consent to ${name === '' ? 'all' : name} messages`, ' by ', detail),
    zh: ({ name, detail }) => withDetail(`同意接收${name === '' ? '全部' : ` ${name} `}消息`, '，渠道 ', detail),
  },
  run: {
    en: ({ name, detail }) => withDetail(`in journey ${name}`, ' at step ', detail),
    zh: ({ name, detail }) => withDetail(`在旅程 ${name} 中`, '，步骤 ', detail),
  },
  event: { en: ({ property }) => `${property} of the event`, zh: ({ property }) => `此事件的 ${property}` },
  now: { en: ({ detail }) => `local ${detail}`, zh: ({ detail }) => `当地时间 ${detail}` },
}

/** What it takes for a number to turn; `more` of it is above 0. */
export const MORE_PHRASES: Readonly<
  Record<string, Readonly<Record<Language, (more: string, parts: FactParts) => string>>>
> = {
  eventCount: {
    en: (more, { events }) => `${more} more ${events}`,
    zh: (more, { events }) => `再有 ${more} 次 ${events}`,
  },
  eventSum: {
    en: (more, { events, property }) => `${more} more ${property} by ${events}`,
    zh: (more, { events, property }) => `${events} 的 ${property} 再增加 ${more}`,
  },
  itemCount: {
    en: (more, { events }) => `${more} more items of ${events}`,
    zh: (more, { events }) => `${events} 再有 ${more} 项商品`,
  },
  itemSum: {
    en: (more, { events, property }) => `${more} more ${property} by items of ${events}`,
    zh: (more, { events, property }) => `${events} 的商品 ${property} 再增加 ${more}`,
  },
  eventDistinct: {
    en: (more, { events, property }) => `${more} more different ${property} of ${events}`,
    zh: (more, { events, property }) => `${events} 再有 ${more} 个不同的 ${property}`,
  },
  userCount: {
    en: (more, { events }) => `${more} more people with ${events}`,
    zh: (more, { events }) => `再有 ${more} 人 ${events}`,
  },
  messageCount: {
    en: (more, { filters }) => `${more} more messages${filters}`,
    zh: (more, { filters }) => `再发送 ${more} 条消息${filters}`,
  },
  sequence: {
    en: (more, { events }) => `${more} more of: ${events}`,
    zh: (more, { events }) => `再有 ${more} 次 ${events}`,
  },
  score: {
    en: (more, { name }) => `${more} more points of score ${name}`,
    zh: (more, { name }) => `分数 ${name} 再增加 ${more}`,
  },
}

export const WORDS = {
  en: {
    tagOn: 'has the tag',
    tagOff: 'does not have the tag',
    inside: 'is in the journey',
    outside: 'is not in the journey',
    score: (value: string) => `has ${value} points of the score`,
    tier: 'tier',
    since: 'since',
    until: 'until',
    all: 'all of these',
    any: 'one of these',
    not: 'not',
    condition: 'condition',
    is: ': is ',
    colon: ': ',
    comma: ', ',
    halving: (length: string) => `, halving every ${length}`,
    none: 'no value',
    entry: 'To be let in:',
    entered: (at: string) => `Let in at ${at}, because:`,
    by: 'by',
    event: 'Event',
    step: (step: string) => `Waits at step ${step}`,
    toBegin: 'What would turn it on:',
    toEnd: 'What would turn it off:',
    toRise: 'To the next tier:',
    toEnter: 'What would let it in:',
    toLeave: 'What would let it out:',
    decided: 'What was decided:',
    more: (count: number) => `and ${count} more`,
    rounded: (grid: string) => `times rounded down to ${grid}`,
    forgotten: (at: string) => `events until ${at} forgotten`,
    time: (at: string) => `time alone, at ${at}, if nothing new happens`,
    never: 'nothing can turn it any more',
    before: (at: string) => ` before ${at}`,
    from: (at: string) => `, which counts from ${at} on`,
    notBefore: (at: string) => `, not before ${at}`,
    oneEvent: (events: string) => `one ${events}`,
    withProperty: (property: string, test: string) => ` with ${property} ${test}`,
    no: 'not:',
    less: (more: string, what: string) => `${more} less of ${what}`,
    given: 'Given by its terms:',
    points: (points: string) => `${points} points`,
    noEvent: 'No event of its own brought it about.',
    broughtBy: 'Brought about by:',
    rule: 'The rule:',
    earlier: 'Before it in this run:',
    asOf: 'As it was then:',
    where: ' where ',
    item: ' with an item where ',
    and: ' and ',
    or: ' or ',
    followed: ' then ',
    absence: (event: string, length: string) => `no ${event} for ${length}`,
    of: { community: ' of the community', leader: ' of the leader' },
  },
  zh: {
    tagOn: '有标签',
    tagOff: '没有标签',
    inside: '正在旅程',
    outside: '不在旅程',
    score: (value: string) => `有 ${value} 分，分数`,
    tier: '等级',
    since: '自',
    until: '至',
    all: '全部满足',
    any: '满足其一',
    not: '不满足',
    condition: '条件',
    is: '：实际 ',
    colon: '：',
    comma: '，',
    halving: (length: string) => `，每 ${length} 减半`,
    none: '无',
    entry: '进入条件：',
    entered: (at: string) => `${at} 进入，因为：`,
    by: '由',
    event: '事件',
    step: (step: string) => `停在步骤 ${step}`,
    toBegin: '怎样会有：',
    toEnd: '怎样会没有：',
    toRise: '升到下一等级：',
    toEnter: '怎样会进入：',
    toLeave: '怎样会离开：',
    decided: '已作决定：',
    more: (count: number) => `还有 ${count} 条`,
    rounded: (grid: string) => `时间取整到 ${grid}`,
    forgotten: (at: string) => `${at} 及以前的事件已不保留`,
    time: (at: string) => `到 ${at}，若无新事件，自动改变`,
    never: '不会再变',
    before: (at: string) => `，在 ${at} 之前`,
    from: (at: string) => `，从 ${at} 起计入`,
    notBefore: (at: string) => `，不早于 ${at}`,
    oneEvent: (events: string) => `一次 ${events}`,
    withProperty: (property: string, test: string) => `，${property} ${test}`,
    no: '不再：',
    less: (more: string, what: string) => `${what} 减少 ${more}`,
    given: '各项得分：',
    points: (points: string) => `${points} 分`,
    noEvent: '不是由自己的事件引起。',
    broughtBy: '起因：',
    rule: '规则：',
    earlier: '这次旅程此前：',
    asOf: '当时的情况：',
    where: '，',
    item: '，含商品 ',
    and: ' 且 ',
    or: ' 或 ',
    followed: ' 然后 ',
    absence: (event: string, length: string) => `${length}内没有 ${event}`,
    of: { community: '（所属小区）', leader: '（团长）' },
  },
} as const

/** Windows: `params` say at most one. */
export const WINDOW_PHRASES = {
  en: {
    within: (length: string) => ` in the last ${length}`,
    between: (from: string, to: string) => ` between ${from} and ${to} ago`,
    since: (at: string) => ` since ${at}`,
    during: {
      today: ' today',
      yesterday: ' yesterday',
      thisWeek: ' this week',
      lastWeek: ' last week',
      thisMonth: ' this month',
      lastMonth: ' last month',
    },
  },
  zh: {
    within: (length: string) => `最近 ${length} `,
    between: (from: string, to: string) => `${from}前到 ${to}前 `,
    since: (at: string) => `自 ${at} 起 `,
    during: {
      today: '今天 ',
      yesterday: '昨天 ',
      thisWeek: '本周 ',
      lastWeek: '上周 ',
      thisMonth: '本月 ',
      lastMonth: '上月 ',
    },
  },
} as const

export const DECISION_PHRASES: Readonly<Record<string, Readonly<Record<Language, string>>>> = {
  'tag.added': { en: 'tag put on', zh: '加上标签' },
  'tag.removed': { en: 'tag taken off', zh: '去掉标签' },
  'score.changed': { en: 'score changed', zh: '分数变化' },
  'journey.entered': { en: 'journey entered', zh: '进入旅程' },
  'journey.stepped': { en: 'step reached', zh: '走到步骤' },
  'journey.exited': { en: 'journey left', zh: '离开旅程' },
  'journey.held': { en: 'not let in', zh: '未进入旅程' },
  'journey.goal': { en: 'goal reached', zh: '达成目标' },
  'message.planned': { en: 'message planned', zh: '计划发送' },
  'message.accepted': { en: 'message sent', zh: '已发送' },
  'message.rejected': { en: 'message refused by the channel', zh: '渠道拒绝' },
  'message.parked': { en: 'message parked', zh: '待人工处理' },
  'message.suppressed': { en: 'message not sent', zh: '未发送' },
  'message.deferred': { en: 'message put off', zh: '推迟发送' },
  'message.delivered': { en: 'message arrived', zh: '已送达' },
  'message.opened': { en: 'message opened', zh: '已打开' },
  'message.clicked': { en: 'link clicked', zh: '已点击' },
  'message.failed': { en: 'message did not arrive', zh: '送达失败' },
  'message.confirmed': { en: 'message sent by a person', zh: '人工确认发送' },
  'message.declined': { en: 'message not sent by a person', zh: '人工拒绝发送' },
  'message.resolved': { en: 'parked message resolved', zh: '待处理消息已处理' },
  'copy.written': { en: 'text written', zh: '已撰写文案' },
  'copy.declined': { en: 'template text used', zh: '改用模板文案' },
  'coupon.issued': { en: 'coupon issued', zh: '发券' },
  'coupon.refused': { en: 'no coupon', zh: '未发券' },
  'coupon.deferred': { en: 'coupon put off', zh: '暂缓发券' },
  'coupon.parked': { en: 'coupon in doubt', zh: '发券结果不明' },
  'coupon.resolved': { en: 'coupon in doubt resolved', zh: '存疑的券已处理' },
  'coupon.returned': { en: 'coupon put back', zh: '券退回券池' },
  'suggestion.made': { en: 'suggestion made', zh: '已建议' },
  'suggestion.done': { en: 'suggestion followed', zh: '建议已办' },
  'suggestion.dismissed': { en: 'suggestion dismissed', zh: '建议已忽略' },
  'suggestion.expired': { en: 'suggestion expired', zh: '建议已过期' },
  'receipt.rejected': { en: 'receipt refused', zh: '拒收回执' },
  'event.rejected': { en: 'event refused', zh: '拒收事件' },
}

/** Why something was not done. Other reasons, such as those of rules, are shown as they are. */
export const REASONS_ZH: Readonly<Record<string, string>> = {
  active: '已在旅程中',
  budget: '预算已用完',
  cap: '已达次数上限',
  cascade: '连锁太长',
  chain: '一环接一环，太长',
  completed: '已走完',
  conditions: '条件不成立',
  configuration: '配置有误',
  'control group': '全局对照组',
  'exit conditions': '退出条件成立',
  exclusive: '同组旅程进行中',
  holdout: '对照组',
  limit: '名额已满',
  merged: '合并为同一人',
  mix: '推销占比过高',
  'no consent': '未同意接收',
  'no date to come': '没有将来的日期',
  'no key': '缺少键',
  'no leader': '没有团长',
  'no such channel': '没有这个渠道',
  'no such journey': '没有这个旅程',
  'no such template': '没有这个模板',
  'no copywriter': '没有接入文案模型',
  'no answer in time': '超时未答复',
  'the copywriter failed': '文案模型出错',
  'the copywriter rests': '文案模型暂停使用',
  'too long': '文案太长',
  empty: '文案为空',
  unreadable: '文案含控制字符',
  'forbidden word': '含禁用词',
  link: '含未给出的链接',
  number: '含未给出的数字',
  'opted out': '已退订',
  'quiet hours': '免打扰时段',
  quota: '渠道配额已满',
  're-entry': '还不能再次进入',
  'run ended': '旅程已结束',
  template: '模板出错',
  'the outcome is unknown': '结果不明',
  'the rule is gone': '规则已删除',
}
