import { expect, test } from 'vitest'
import { MissingPortError, PortTable, port, provide } from './port.ts'

interface Greeting {
  greet(name: string): string
}
const greeting = port<Greeting>('greeting')
const english = provide(greeting, { greet: (name) => `Hello, ${name}` })

test('a port is found by its token', () => {
  const ports = new PortTable()
  ports.provide(english)

  expect(ports.use(greeting).greet('Ann')).toBe('Hello, Ann')
})

test('a port has one provider', () => {
  const ports = new PortTable()
  ports.provide(english)

  expect(() => ports.provide(english)).toThrow("The port 'greeting' has two providers.")
  // @ts-expect-error: an implementation that does not fit its token does not compile.
  provide(greeting, { greet: (count: number) => count })
})

test('a missing provider is reported before the first use', () => {
  const ports = new PortTable()
  const parting = port<Greeting>('parting')
  ports.provide(english)

  expect(() => ports.assertProvided([greeting, parting], 'acm')).toThrow('acm needs ports without a provider: parting.')
  expect(() => ports.use(parting)).toThrow(MissingPortError)
})
