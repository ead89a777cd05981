/** An application that puts what it receives into its SQL: with numbers, with strings, in queries and in forms. Never write one like it. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from '@photostructure/sqlite'

export interface VulnerableShop {
  readonly port: number
  close(): void
}

export async function vulnerableShop(): Promise<VulnerableShop> {
  const database = new DatabaseSync(':memory:')
  database.exec('CREATE TABLE items (id INTEGER, name TEXT); CREATE TABLE users (name TEXT, secret TEXT)')
  for (const [id, name] of ['shoes', 'hats', 'coats'].entries())
    database.exec(`INSERT INTO items VALUES (${id + 1}, '${name}')`)
  database.exec("INSERT INTO users VALUES ('ada', 'the-secret-of-ada')")

  const server = createServer(async (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://shop')
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const form = new URLSearchParams(Buffer.concat(chunks).toString('utf8'))
    const given = (name: string) => form.get(name) ?? searchParams.get(name) ?? ''
    const query =
      pathname === '/item'
        ? `SELECT id, name FROM items WHERE id = ${given('id') || '0'}`
        : `SELECT id, name FROM items WHERE name = '${given('name')}'`
    response.setHeader('Content-Type', 'text/html')
    try {
      const rows = database.prepare(query).all() as { readonly id: number; readonly name: string }[]
      response.end(`<ul>${rows.map(({ id, name }) => `<li>${id} ${name}</li>`).join('')}</ul>`)
    } catch (error) {
      response.writeHead(500).end(`SQLite error: ${(error as Error).message}`)
    }
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.close()
      database.close()
    },
  }
}
