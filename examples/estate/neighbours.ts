import type { Random } from './random.js'

export interface Community {
  readonly id: string
  readonly name: string
  readonly leaderId: string
  readonly leaderName: string
}

export const COMMUNITIES: readonly Community[] = [
  { id: 'cuihu', name: '翠湖花园', leaderId: 'leader-wang', leaderName: '王桂芬' },
  { id: 'fenglin', name: '枫林里', leaderId: 'leader-li', leaderName: '李建军' },
  { id: 'guihua', name: '桂花苑', leaderId: 'leader-chen', leaderName: '陈晓梅' },
]

/**
 * How a household shops:
 * - `organic`: organic vegetables every week, and never fruit;
 * - `organic-and-fruit`: the same, with fruit now and then;
 * - `milk`: milk twice a week;
 * - `everyday`: a bit of everything;
 * - `rare`: once or twice a month.
 */
export type Persona = 'organic' | 'organic-and-fruit' | 'milk' | 'everyday' | 'rare'

export interface Neighbour {
  readonly id: string
  readonly name: string
  readonly home: string
  readonly community: Community
  readonly persona: Persona
  /** The day of the month's story on which they joined; 0: they were there before. */
  readonly joinedOn: number
  readonly consent: 'granted' | 'withdrawn' | 'never asked'
  /** Whether they follow the shop's mini program; if not, only an SMS reaches them. */
  readonly followsMiniProgram: boolean
  /** Leaves carts behind, so that reminders use up this week's promotions. */
  readonly forgetful: boolean
}

/** Who lives where: how many households of each persona. */
const HOUSEHOLDS: Readonly<Record<string, Readonly<Partial<Record<Persona, number>>>>> = {
  cuihu: { organic: 6, 'organic-and-fruit': 2, everyday: 9, rare: 3 },
  fenglin: { organic: 5, 'organic-and-fruit': 2, everyday: 11, rare: 2 },
  guihua: { organic: 3, 'organic-and-fruit': 1, milk: 10, everyday: 4, rare: 2 },
}

const SURNAMES = [...'王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许沈曾彭吕苏']
const GIVEN_NAMES = (
  '秀英 桂兰 建国 志强 晓燕 海燕 丽华 国栋 慧芳 玉梅 文静 雪梅 俊杰 子涵 雨桐 浩然 欣怡 明辉 红霞 淑芬 永强 春生 ' +
  '佳怡 思远 立新 美玲 凤英 振华 晓东 婷婷 小军 爱华 德明 静怡 宏伟 月娥 培培 若曦 家豪 翠萍 长青 素珍 卫东 诗涵 ' +
  '梓轩 一鸣 巧云 志远 金凤 雅琴 少华 亚楠 学文 可欣 大勇 彩霞 新民 冬梅 瑞芳 天佑'
).split(' ')

/** Sixty households of three communities. Whatever the seed, the personas are these, so the story is the same. */
export function makeNeighbours(random: Random): readonly Neighbour[] {
  const givenNames = random.shuffled(GIVEN_NAMES)
  const personas = COMMUNITIES.flatMap((community) =>
    (Object.entries(HOUSEHOLDS[community.id] ?? {}) as [Persona, number][]).flatMap(([persona, count]) =>
      Array.from({ length: count }, (_, number) => ({ community, persona, number })),
    ),
  )
  return personas.map(({ community, persona, number }, index) => ({
    id: `u${String(index + 1).padStart(2, '0')}`,
    name: `${random.pick(SURNAMES)}${givenNames[index]}`,
    home: `${random.between(1, 12)} 栋 ${random.between(1, 18)}0${random.between(1, 4)}`,
    community,
    persona,
    ...traitsOfStory(community.id, persona, number),
  }))
}

type Story = Pick<Neighbour, 'joinedOn' | 'consent' | 'followsMiniProgram' | 'forgetful'>

const USUAL: Story = { joinedOn: 0, consent: 'granted', followsMiniProgram: true, forgetful: false }

/** The few who are not like the others, by community, persona and number. */
const UNUSUAL: Readonly<Record<string, Partial<Story>>> = {
  'cuihu organic 1': { consent: 'withdrawn' },
  'cuihu organic 2': { followsMiniProgram: false },
  'fenglin organic 0': { forgetful: true },
  'fenglin organic 3': { consent: 'never asked' },
  'cuihu everyday 2': { consent: 'withdrawn' },
  'guihua milk 5': { consent: 'never asked' },
  'fenglin everyday 6': { joinedOn: 9 },
  'guihua rare 1': { joinedOn: 16 },
}

function traitsOfStory(community: string, persona: Persona, number: number): Story {
  return { ...USUAL, ...UNUSUAL[`${community} ${persona} ${number}`] }
}
