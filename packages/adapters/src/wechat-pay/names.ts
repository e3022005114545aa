/** Begins the codes of errors and details. */
export const ADAPTER = 'wechat-pay'

/** How far a clock may be off. What is older, or from so far ahead, is refused: it may be played again. */
export const MOST_SKEW_SECONDS = 5 * 60
