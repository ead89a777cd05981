/** The resources whose policies ValidatePolicy knows by type. */

/** Whose actions and ARNs the policy of such a resource may name; undefined: not said. */
export const serviceOfType = (type: string): string | undefined =>
  ({
    'AWS::S3::Bucket': 's3',
    'AWS::S3::AccessPoint': 's3',
    'AWS::S3::MultiRegionAccessPoint': 's3',
    'AWS::S3ObjectLambda::AccessPoint': 's3-object-lambda',
    'AWS::DynamoDB::Table': 'dynamodb',
  })[type]
