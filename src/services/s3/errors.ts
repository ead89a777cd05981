/** S3's errors: their codes, texts, and the elements each document carries beside them. */
import { Fault, type FaultDetails } from '../../wire/fault.ts'

type Members = NonNullable<FaultDetails['members']>

/** Of S3's errors the model lists few, and none with its members. */
export const refuse = (code: string, status: number, message: string, members: Members = {}): Fault =>
  new Fault(code, message, { status, members })

export const noSuchBucket = (BucketName: string): Fault =>
  refuse('NoSuchBucket', 404, 'The specified bucket does not exist', { BucketName })

export const invalidBucketName = (BucketName: string): Fault =>
  refuse('InvalidBucketName', 400, 'The specified bucket is not valid.', { BucketName })

export const noSuchKey = (Key: string): Fault => refuse('NoSuchKey', 404, 'The specified key does not exist.', { Key })

export const unbuilt = (what: string): Fault => refuse('NotImplemented', 501, `Merlon does not implement ${what}.`)

/** A header that AWS, too, does not take here. */
export const headerNotImplemented = (Header: string, additionalMessage: string): Fault =>
  refuse('NotImplemented', 501, 'A header you provided implies functionality that is not implemented', {
    Header,
    additionalMessage,
  })

export const badToken = (token = ''): Fault =>
  invalidArgument('The continuation token provided is incorrect', 'continuation-token', token)

export const invalidArgument = (message: string, ArgumentName: string, ArgumentValue: string): Fault =>
  refuse('InvalidArgument', 400, message, { ArgumentName, ArgumentValue })
