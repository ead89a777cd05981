/** The role of an instance profile, for the service that delivers its credentials. */
import type { InstanceProfilesPort } from '../../../kernel/ports/instance-profiles.ts'
import { instanceProfile, role } from '../resources.ts'

export const instanceProfilesPort: InstanceProfilesPort = {
  roleOf: async (reader, { account }, profileName) => {
    const at = { partition: 'aws', region: '', account }
    const row = await instanceProfile.get(reader, at, { name: profileName })
    if (!row) return undefined
    const given = row.role === undefined ? undefined : await role.get(reader, at, { name: row.role })
    return { arn: instanceProfile.arnOf(at, row), roleArn: given && role.arnOf(at, given) }
  },
}
