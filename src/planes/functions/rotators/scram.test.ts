import { expect, test } from 'vitest'
import { scramVerifier } from './scram.ts'

test('A verifier is that of the example exchange of RFC 7677 §3', () => {
  const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64')
  // Stored and server key, computed from the exchange's password "pencil" by the formulas of RFC 5802 §3.
  expect(scramVerifier('pencil', salt)).toBe(
    'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  )
})

test('Two verifiers of one password differ: each has its salt', () => {
  expect(scramVerifier('pencil')).not.toBe(scramVerifier('pencil'))
})
