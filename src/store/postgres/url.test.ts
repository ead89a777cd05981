import { parseIntoClientConfig } from 'pg-connection-string'
import { expect, test } from 'vitest'
import { hostUrls, PostgresUrlError } from './url.ts'

const hosts = (url: string) =>
  hostUrls(url).map((each) => {
    const { host, port } = parseIntoClientConfig(each)
    return port === undefined ? host : `${host}:${port}`
  })

test.each([
  ['postgres://merlon@db.example/merlon', ['db.example']],
  ['postgres://a,b/merlon?target_session_attrs=read-write', ['a', 'b']],
  ['postgresql://merlon@a:5432,b:5433/merlon', ['a:5432', 'b:5433']],
  ['postgres://merlon@[::1]:5432,[2001:db8::1]/merlon', ['::1:5432', '2001:db8::1']],
  ['postgres://merlon:a,b%40c@one,two/merlon', ['one', 'two']],
  ['postgres://merlon:raw@sign@one,two/merlon', ['one', 'two']],
  ['postgres:///merlon?host=/run/postgresql', ['/run/postgresql']],
  ['postgres:///merlon?host=a,b&port=1,2', ['a:1', 'b:2']],
  ['postgres:///merlon?host=a,b&port=7', ['a:7', 'b:7']],
  ['postgres://ignored/merlon?host=a,b', ['a', 'b']],
])('%s names its hosts in order', (url, expected) => {
  expect(hosts(url)).toEqual(expected)
})

test('Each URL keeps the user, the database and the other parameters', () => {
  const read = hostUrls('postgres://ann:pass%2Cword@a:1,b:2/main?sslmode=disable').map((url) =>
    parseIntoClientConfig(url),
  )
  for (const config of read)
    expect(config).toMatchObject({ user: 'ann', password: 'pass,word', database: 'main', ssl: false })
})

test.each([
  ['mysql://a/b', 'not a PostgreSQL URL'],
  ['a,b', 'not a PostgreSQL URL'],
  ['postgres://ann:s3cret@a:port,b/merlon', 'invalid host, port or path'],
  ['postgres://ann:s3cret@a:1,b:99999/merlon', 'invalid host, port or path'],
  ['postgres:///merlon?host=a,b,c&port=1,2', '3 hosts and 2 ports'],
  ['postgres://a,b/merlon?target_session_attrs=standby', 'target_session_attrs=read-write'],
  [`postgres://${'a,'.repeat(16)}b/merlon`, 'more than 16 hosts'],
  [`postgres:///merlon?host=${'a,'.repeat(16)}b`, 'more than 16 hosts'],
])('%s is refused with a reason that does not repeat it', (url, reason) => {
  const parse = () => hostUrls(url)

  expect(parse).toThrow(PostgresUrlError)
  expect(parse).toThrow(reason)
  expect(parse).not.toThrow('s3cret')
})
