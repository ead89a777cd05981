/** What the system, PostgreSQL and the network report, as the table words it. */
import { describe, expect, test } from 'vitest'
import { asOperatorError, codeOf, type ErrorContext } from './operator-errors.ts'

const errorOf = (message: string, members: object): Error => Object.assign(new Error(message), members)
const seen = (error: Error, context?: ErrorContext) => codeOf(asOperatorError(error, context))

describe('an error of the system', () => {
  test.each([
    ['EADDRNOTAVAIL', { syscall: 'listen', address: '192.0.2.1', port: 80 }, 'MERLON_ADDRESS_UNAVAILABLE'],
    ['EACCES', { syscall: 'listen', address: '127.0.0.1', port: 80 }, 'MERLON_ADDRESS_UNAVAILABLE'],
    ['EADDRINUSE', { syscall: 'listen', address: '127.0.0.1', port: 80 }, 'MERLON_ADDRESS_IN_USE'],
    ['EROFS', { syscall: 'open', path: '/data/merlon.lock' }, 'MERLON_DATA_NOT_WRITABLE'],
    ['EROFS', { syscall: 'open', path: '/elsewhere/x' }, 'MERLON_FILE_NOT_USABLE'],
    ['ENOSPC', { syscall: 'write' }, 'MERLON_DISK_FULL'],
    ['ENOTDIR', { syscall: 'mkdir', path: '/data' }, 'MERLON_DATA_NOT_A_DIRECTORY'],
    ['ENOENT', { syscall: 'open', path: '/elsewhere/x' }, 'MERLON_FILE_MISSING'],
  ])('%s of %j', (code, members, expected) => {
    expect(seen(errorOf(`${code}: a reason`, { code, ...members }), { data: '/data' })).toBe(expected)
  })

  test('behind another error is found', () => {
    const full = new Error('the store could not write: database or disk is full')

    expect(seen(new Error('the thread has ended', { cause: full }))).toBe('MERLON_DISK_FULL')
  })
})

test.each([
  ['28P01', 'password authentication failed for user "x"', 'MERLON_STORE_LOGIN_FAILED'],
  ['28000', 'role "x" does not exist', 'MERLON_STORE_LOGIN_FAILED'],
  ['3D000', 'database "x" does not exist', 'MERLON_STORE_NO_DATABASE'],
  ['42501', 'permission denied for database x', 'MERLON_STORE_FORBIDDEN'],
  ['53100', 'could not extend file', 'MERLON_DISK_FULL'],
  ['53300', 'too many connections', 'MERLON_STORE_UNREACHABLE'],
  ['57P03', 'the database system is starting up', 'MERLON_STORE_UNREACHABLE'],
  ['42P01', 'relation "state" does not exist', 'MERLON_STORE_FAILED'],
])('PostgreSQL says %s', (code, message, expected) => {
  expect(seen(errorOf(message, { code, severity: 'FATAL' }), { store: 'PostgreSQL (x@y/z)' })).toBe(expected)
})

test.each([
  ['The server does not support SSL connections', 'MERLON_STORE_TLS'],
  ['self-signed certificate in certificate chain', 'MERLON_STORE_TLS'],
  ['SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string', 'MERLON_STORE_LOGIN_FAILED'],
  ['timeout expired', 'MERLON_STORE_UNREACHABLE'],
  ['Connection terminated unexpectedly', 'MERLON_STORE_UNREACHABLE'],
])('the client of PostgreSQL says %s', (message, expected) => {
  expect(seen(new Error(message), { store: 'PostgreSQL (x@y/z)' })).toBe(expected)
})

test('a defect is no error of the operator', () => {
  expect(asOperatorError(new TypeError("Cannot read properties of undefined (reading 'x')"))).toBeUndefined()
})
