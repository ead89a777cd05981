/** Message authentication codes. */
import { currentOf } from './key-materials.ts'
import { silent } from './messages.ts'
import { arnOf } from './resources.ts'
import { usedKey } from './targets.ts'
import { endDryRun, requireAlgorithm, requireUse } from './uses.ts'
import { kms } from './words.ts'

const USAGE = 'GENERATE_VERIFY_MAC'

export const generateMac = kms
  .operation('GenerateMac')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'GenerateMac', USAGE, input)
    requireAlgorithm(row, input.MacAlgorithm)
    const held = currentOf(row)
    endDryRun(input.DryRun)

    const mac = await call.vault.materials.use(held, { do: 'mac', message: input.Message })
    return { Mac: mac, MacAlgorithm: input.MacAlgorithm, KeyId: arnOf(row) }
  })

export const verifyMac = kms
  .operation('VerifyMac')
  .on(usedKey)
  .run(async (call, input, { row }) => {
    requireUse(call, row, 'VerifyMac', USAGE, input)
    requireAlgorithm(row, input.MacAlgorithm)
    const { Message: message, Mac: mac } = input
    const valid = await call.vault.materials.use(currentOf(row), { do: 'verifyMac', message, mac })
    if (!valid) throw silent.mac()
    endDryRun(input.DryRun)
    return { KeyId: arnOf(row), MacValid: true, MacAlgorithm: input.MacAlgorithm }
  })
