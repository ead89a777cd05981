import { Stack, type StackProps } from 'aws-cdk-lib'
import { AccountPrincipal, ManagedPolicy, PolicyStatement, Role } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3'
import type { Construct } from 'constructs'

/** A bucket of reports, encrypted, and the role that reads them. */
export class ReportsStack extends Stack {
  constructor(scope: Construct, id: string, props?: StackProps) {
    super(scope, id, props)
    const key = new Key(this, 'Key')
    const bucket = new Bucket(this, 'Reports', { encryption: BucketEncryption.KMS, encryptionKey: key })
    const reader = new Role(this, 'Reader', {
      assumedBy: new AccountPrincipal(this.account),
      permissionsBoundary: new ManagedPolicy(this, 'Boundary', {
        statements: [new PolicyStatement({ actions: ['s3:Get*', 's3:List*', 'kms:Decrypt'], resources: ['*'] })],
      }),
    })
    bucket.grantRead(reader)
  }
}
