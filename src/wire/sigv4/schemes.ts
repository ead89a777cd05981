/** Where services differ in how their requests are signed: S3 has other schemes, and calls without a Region. */
import { Fault } from '../fault.ts'
import type { HttpRequest } from '../http.ts'
import { formUploadRefused, isFormUpload } from '../s3.ts'
import type { ServiceRow } from '../services.ts'
import { actingRegion, notInSet, type Presented } from './index.ts'
import { isVersion2, version2Refused } from './version2.ts'

const isS3 = ({ id }: ServiceRow): boolean => id === 's3'

/** Throws for signatures of version 2 and for forms that carry a signed policy, which S3 alone knows. */
export function refuseOtherSchemes(service: ServiceRow, request: HttpRequest): void {
  if (!isS3(service)) return
  if (isVersion2(request)) throw version2Refused()
  if (isFormUpload(request)) throw formUploadRefused()
}

/** The answer to a request that carries no signature. */
export function unsignedFault(service: ServiceRow): Fault {
  return isS3(service)
    ? new Fault('AccessDenied', 'Access Denied')
    : new Fault('MissingAuthenticationToken', 'Request is missing Authentication Token')
}

/** The Region that a call acts in. S3 goes by the bucket: its calls may have no Region of their own, and then have `*`. */
export function regionOf(presented: Presented, service: ServiceRow): string {
  const region = actingRegion(presented)
  if (isS3(service)) return region ?? '*'
  if (region === undefined || (service.global && presented.region === '*' && region !== 'us-east-1'))
    throw notInSet(presented)
  return service.global ? 'us-east-1' : region
}
