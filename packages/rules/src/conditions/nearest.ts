const MILLION = 1_000_000

/** Sums are exact to a millionth. */
export const MILLIONTH = 1 / MILLION

/** The least step up, and down, after which a comparison with numbers comes out otherwise. */
export function stepsToTurn(
  test: (value: number) => boolean,
  actual: number,
  expected: unknown,
  step: number,
): { readonly up?: number; readonly down?: number } {
  const turned = valuesAround(expected, step).filter((value) => test(value) !== test(actual))
  const up = Math.min(...turned.filter((value) => value > actual)) - actual
  const down = actual - Math.max(...turned.filter((value) => value < actual))
  return { ...(Number.isFinite(up) && { up: round(up) }), ...(Number.isFinite(down) && { down: round(down) }) }
}

/** A number for which a comparison comes out as wanted; undefined where there is none close to what it is compared with. */
export function numberFor(wanted: (value: number) => boolean, expected: unknown, step: number): number | undefined {
  return valuesAround(expected, step).find(wanted)
}

/** The numbers at which a comparison can come out otherwise: those compared with, and one step to both sides. */
function valuesAround(expected: unknown, step: number): readonly number[] {
  const constants = [expected].flat().filter((value) => typeof value === 'number')
  return constants.flatMap((value) => {
    const on = [Math.floor(value / step) * step, Math.ceil(value / step) * step]
    return on.flatMap((one) => [one, one + step, one - step].map(round))
  })
}

function round(value: number): number {
  return Math.round(value * MILLION) / MILLION
}
