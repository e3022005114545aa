import { describe, expect, it } from 'vitest'
import { problemsOf, template, textOf } from '../testing/packs.js'
import { definePack } from './define.js'
import { compileProgram } from './program/compile.js'
import type { Template } from './templates.js'

const variables = {
  subject: { kind: 'user', id: 'u1' },
  traits: {
    name: '小王',
    city: null,
    tags: ['a', 'b'],
    address: { street: '1' },
    price: 12.5,
    since: '2026-01-01T00:00:00Z',
  },
  coupon: { code: 'X1', offer: 'trial' },
  entry: { storeId: 's1' },
}

function compile(body: string, more: object = {}): Template {
  const found = compileProgram(definePack([template(body, more)])).templates.get('t')
  if (found === undefined) throw new Error('no template')
  return found
}

function render(body: string): string {
  const result = compile(body).render(variables)
  return result.ok ? result.content.body : `error: ${result.error}`
}

describe('a template', () => {
  it.each([
    ['{{ traits.name }}，您好', '小王，您好'],
    ['{{ traits["name"] }}', '小王'],
    ['{% if traits.vip %}vip{% else %}hello{% endif %}', 'hello'],
    ['{% for tag in traits.tags %}{{ tag }}{{ forloop.index }}{% endfor %}', 'a1b2'],
    ['{% assign n = traits.name %}{{ n | append: "!" }}', '小王!'],
    ['{{ traits.tags | join: "、" }} {{ traits.tags.size }}', 'a、b 2'],
    ['{{ traits.price | money }} {{ "3" | money }}', '12.50 3.00'],
    ['{{ traits.since | date: "%m月%d日 %H:%M" }}', '01月01日 08:00'],
    ['<b>{{ "a&b" }}</b> {{ "a&b" | escape }}', '<b>a&b</b> a&amp;b'],
    ['{{ traits.name | truncate: 1, "" }}', '小'],
  ])('renders %s', (body, text) => {
    expect(render(body)).toBe(text)
  })

  it('renders title, body and data, and knows the variables it reads', () => {
    const found = compile('{{ traits.name }}', {
      title: '{{ coupon.code }}',
      data: { page: 'p?id={{ entry.storeId }}' },
    })
    expect([...found.reads].sort()).toEqual(['coupon', 'entry', 'traits'])
    expect(found.render(variables)).toEqual({
      ok: true,
      content: { title: 'X1', body: '小王', data: { page: 'p?id=s1' } },
    })
  })
})

describe('a title', () => {
  it('is one line, whatever the values are that it shows', () => {
    const found = compile('{{ traits.name }}', { title: '{{ traits.name }}到了' })
    const name = '小王\r\nBcc: all@example.com\u2028\u0000\u0085x'
    expect(found.render({ traits: { name } })).toEqual({
      ok: true,
      content: { title: '小王 Bcc: all@example.com x到了', body: name },
    })
  })
})

describe('a variable without a value', () => {
  it.each([
    ['{{ traits.nick }}', 'traits.nick has no value'],
    ['{{ coupon.expiresAt }}', 'coupon.expiresAt has no value'],
    ['{{ event.sku }}', 'event has no value'],
    ['{{ traits.city }}', 'a variable has no value'],
    ['{{ "x" | append: traits.nick }}', 'traits.nick has no value'],
    ['{{ traits[entry.storeId] }}', 'traits.s1 has no value'],
  ])('is an error, not an empty text: %s', (body, error) => {
    expect(render(body)).toBe(`error: ${error}`)
  })

  it('may have a default', () => {
    expect(render('{{ traits.nick | default: "您" }}{{ traits.city | default: "这里" }}')).toBe('您这里')
  })

  it.each([
    ['{{ traits.address }}', 'a variable is an object, not text'],
    ['{{ traits.name | money }}', 'money needs a number'],
    ['{{ traits.city | money }}', 'money needs a number'],
  ])('is as wrong as a value that people cannot read: %s', (body, error) => {
    expect(render(body)).toBe(`error: ${error}`)
  })
})

describe('a template is locked down', () => {
  it.each([
    'include "x"',
    'render "x"',
    'layout "x"',
    'block x',
    'liquid assign y = 1',
    'tablerow x in y',
    'increment x',
  ])('refuses {%% %s %%}', (tag) => {
    expect(problemsOf(template(`{% ${tag} %}`)).map(({ code }) => code)).toEqual(['template.syntax'])
  })

  it.each([
    'sample',
    'where_exp: "x", "x.y"',
    'sha256',
    'inspect',
    'constructor',
    'toString',
    '__proto__',
    'strip_html',
  ])('refuses the filter %s', (filter) => {
    expect(problemsOf(template(`{{ traits.tags | ${filter} }}`)).map(({ code }) => code)).toEqual(['template.syntax'])
  })

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])('reads own properties only: not %s', (name) => {
    expect(render(`{{ traits.${name} }}`)).toMatch(/^error: /)
    expect(render(`{{ traits["${name}"] }}`)).toMatch(/^error: /)
  })

  it('has no clock', () => {
    expect(render('{{ "now" | date: "%s" }}')).toMatch(/^error: templates have no clock/)
    expect(render('{% assign t = "today" %}{{ t | date: "%Y" }}')).toMatch(/^error: templates have no clock/)
  })

  it.each([
    '{% for i in (1..100000000) %}x{% endfor %}',
    '{% for i in (1..999) %}{% for j in (1..999) %}{{ i }}{% endfor %}{% endfor %}',
    '{% assign a = "x" %}{% for i in (1..40) %}{% assign a = a | append: a %}{% endfor %}{{ a }}',
  ])('does a bounded amount of work: %s', (body) => {
    const start = performance.now()
    expect(compile(body).render(variables).ok).toBe(false)
    expect(performance.now() - start).toBeLessThan(10_000)
  })

  it('is refused when its text is too long', () => {
    expect(problemsOf(template('x'.repeat(20_001))).map(({ message }) => message)).toEqual([
      'This text has at most 20000 characters.',
    ])
  })

  it('cannot be told what to do by the values it shows', () => {
    const result = compile('{{ traits.name }}').render({ traits: { name: '{{ subject.id }}{% include "x" %}' } })
    expect(result).toEqual({ ok: true, content: { body: '{{ subject.id }}{% include "x" %}' } })
  })
})

describe('a template with copy', () => {
  const copy = { instructions: '请{{ traits.name }}试吃', fallback: '{{ traits.name }}，来尝尝' }
  const said = (body: string, more: object) => textOf(problemsOf([template(body, more)]))

  it('puts in what was written, and its fallback where nothing was', () => {
    const compiled = compile('{{ copy }}！', { copy, title: '{{ copy | upcase }}' })

    expect(compiled.render({ ...variables, copy: 'ok 苹果' })).toEqual({
      ok: true,
      content: { title: 'OK 苹果', body: 'ok 苹果！' },
    })
    expect(compiled.render(variables)).toMatchObject({ ok: true, content: { body: '小王，来尝尝！' } })
    expect(compiled.copy?.instructions(variables)).toEqual({ ok: true, text: '请小王试吃' })
    expect(compiled.copy?.instructions({ traits: {} })).toEqual({ ok: false, error: 'traits.name has no value' })
    expect(compiled.copy).toMatchObject({ maxLength: 100, forbid: [] })
  })

  it('never renders what was written as a template', () => {
    const written = '{{ traits.city }}{% for x in (1..9) %}x{% endfor %}'
    expect(compile('{{ copy }}', { copy }).render({ ...variables, copy: written })).toMatchObject({
      content: { body: written },
    })
  })

  it('reads what its texts read, and needs no more than its fallback', () => {
    const compiled = compile('{{ copy }}', {
      copy: { instructions: '{{ coupon.name }}', fallback: '{{ entry.storeId }}' },
    })
    expect([...compiled.reads].sort()).toEqual(['coupon', 'entry'])
    expect([...compiled.needs]).toEqual(['entry'])
  })

  it('must have a place for it, and something to put there', () => {
    expect(said('Hello', { copy })).toContain('reads {{ copy }} nowhere')
    expect(said('{{ copy }}', {})).toContain('has no "copy" that says what to write')
    expect(said('{{ copy }}', { copy: { ...copy, fallback: '{{ copy }}' } })).toContain('can read {{ copy }}')
    expect(said('{{ copy.text }}', { copy })).toContain('"copy" has no "text"')
    expect(said('{{ copy }}', { copy: { ...copy, maxLength: 0 } })).toContain('maxLength')
    expect(said('{{ copy }}', { copy: { instructions: 'x' } })).toContain('fallback')
  })
})
