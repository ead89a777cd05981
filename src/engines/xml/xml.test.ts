/** The XML reader: namespaces as scoped, and an end to everything that a document can have much of. */
import { describe, expect, test } from 'vitest'
import { parseXml } from './xml.ts'

const many = (count: number, each: (i: number) => string) => Array.from({ length: count }, (_, i) => each(i)).join('')

describe('A namespace', () => {
  test('holds in its element and ends with it', () => {
    const root = parseXml('<a xmlns="u:1" xmlns:p="u:2"><p:b><c xmlns="u:3"/><p:d xmlns:p="u:4"/><p:e/></p:b><f/></a>')
    const inside = root.children[0]!

    expect(
      [root, inside, ...inside.children, root.children[1]!].map(({ namespace, name }) => `${namespace} ${name}`),
    ).toEqual(['u:1 a', 'u:2 b', 'u:3 c', 'u:4 d', 'u:2 e', 'u:1 f'])
  })

  test('of a prefix that its element alone declared is unknown behind it', () => {
    expect(() => parseXml('<a><b xmlns:p="u"/><p:c/></a>')).toThrow('an unknown namespace prefix')
  })
})

test('an entity is one of five, whatever the names of object members', () => {
  expect(parseXml('<a>&amp;&lt;&#65;&#x42;</a>').text).toBe('&<AB')
  for (const name of ['constructor', 'toString', '__proto__', 'nbsp'])
    expect(() => parseXml(`<a>&${name};</a>`)).toThrow('an unknown entity')
})

describe('There is a limit to', () => {
  test.each<[what: string, document: string, error: string]>([
    ['depth', `${many(100, () => '<a>')}${many(100, () => '</a>')}`, 'too deep'],
    ['elements', `<a>${many(60_000, () => '<b/>')}</a>`, 'too many elements'],
    ['attributes of an element', `<a ${many(100, (i) => `x${i}="" `)}/>`, 'too many attributes'],
    ['attributes', `<a>${many(400, () => `<b ${many(50, (i) => `x${i}="" `)}/>`)}</a>`, 'too many attributes'],
    ['declarations', `<a>${many(3_000, () => '<b xmlns:x="u"/>')}</a>`, 'too many namespace declarations'],
    [
      'declarations in scope',
      `${many(60, (i) => `<a xmlns:x${i}="u" xmlns:y${i}="u">`)}${many(60, () => '</a>')}`,
      'too many namespace declarations',
    ],
  ])('%s', (_, document, error) => {
    expect(() => parseXml(document)).toThrow(error)
  })
})

test('what identity providers send is far from every limit', () => {
  const value = (i: number) => `<v xmlns:xs="u:xs" xmlns:xsi="u:xsi" xsi:type="xs:string">group-${i}</v>`
  expect(parseXml(`<a xmlns="u">${many(900, value)}</a>`).children).toHaveLength(900)
})
