/**
 * What sessions of unauthenticated identities may do at most in the enhanced flow, whatever their role allows. AWS applies
 * two session policies: one of its managed policies, and one that names the services below.
 * Source: https://docs.aws.amazon.com/cognito/latest/developerguide/iam-roles.html
 */

export const SCOPE_DOWN_ARN = 'arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy'

/** Services that unauthenticated identities may use in full. */
const SERVICES = [
  'appsync',
  'cloudwatch',
  'cognito-identity',
  'cognito-sync',
  'comprehend',
  'dynamodb',
  'firehose',
  'gamelift',
  'geo',
  'iot',
  'kinesis',
  'lambda',
  'lex',
  'machinelearning',
  'mobileanalytics',
  'mobiletargeting',
  'polly',
  'rekognition',
  's3',
  'sdb',
  'ses',
  'sns',
  'sqs',
  'transcribe',
  'translate',
]

/** Of other services these actions alone. */
const ACTIONS = [
  'kms:Decrypt',
  'kms:Encrypt',
  'kms:GenerateDataKey',
  'kms:ReEncrypt*',
  'sagemaker:InvokeEndpoint',
  'sumerian:View*',
  'textract:AnalyzeDocument',
  'textract:DetectDocumentText',
]

export const SCOPE_DOWN_POLICY = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action: [...SERVICES.map((service) => `${service}:*`), ...ACTIONS], Resource: '*' }],
})
