import { again, refuse, type Verdict, type Verdicts } from '../../wechat/results.js'

const MINUTE_MS = 60_000

const BUSY = again(1000)
const CONFIGURATION = refuse('configuration')
const RECIPIENT = refuse('recipient')
const CONTENT = refuse('content')

/**
 * What WeCom's errcodes mean for a message (https://developer.work.weixin.qq.com/document/path/90313, 全局错误码). `errcode`
 * decides, never `errmsg`.
 */
export const WECOM_VERDICTS: Verdicts = new Map<number, Verdict>([
  // Busy, a conflict of data, too many at once: nothing was done.
  [-1, BUSY],
  [6000, BUSY],
  [45033, BUSY],
  // Over the frequency of an hour or a minute.
  [45009, again(MINUTE_MS)],
  // The token was refused again right after it was fetched anew.
  [40014, again(MINUTE_MS)],
  [42001, again(MINUTE_MS)],
  // Secret, corp, address, permission, agent.
  [40001, CONFIGURATION],
  [40013, CONFIGURATION],
  [40056, CONFIGURATION],
  [41001, CONFIGURATION],
  [48002, CONFIGURATION],
  [60011, CONFIGURATION],
  [60020, CONFIGURATION],
  [301002, CONFIGURATION],
  [84063, CONFIGURATION],
  [84074, CONFIGURATION],
  // The webhook of a robot is invalid or was removed.
  [93000, CONFIGURATION],
  // Nobody by this id; no relation to this customer; all recipients are invalid.
  [40003, RECIPIENT],
  [40031, RECIPIENT],
  [40096, RECIPIENT],
  [60111, RECIPIENT],
  [81013, RECIPIENT],
  [84061, RECIPIENT],
  // Parameters, media and texts that it does not take.
  [40007, CONTENT],
  [40035, CONTENT],
  [40058, CONTENT],
  [40063, CONTENT],
  [44004, CONTENT],
  [45002, CONTENT],
])
