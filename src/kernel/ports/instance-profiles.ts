/**
 * The instance profiles port: the role that an instance profile gives to machines; provided by IAM.
 *
 * @example
 * const found = await use(instanceProfiles).roleOf(store.reader, { account }, 'web')
 */
import type { Scope } from '../gate/call.ts'
import type { Reader } from '../state/reader.ts'
import { port } from './port.ts'

export interface InstanceProfilesPort {
  /** The ARN of the profile and of its role, which is undefined while it has none. Undefined where there is no such profile. */
  roleOf(
    reader: Pick<Reader, 'get'>,
    place: Pick<Scope, 'account'>,
    profileName: string,
  ): Promise<{ readonly arn: string; readonly roleArn: string | undefined } | undefined>
}

export const instanceProfiles = port<InstanceProfilesPort>('instance-profiles')
