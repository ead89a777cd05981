/** The types of acm-pca, in the form of an official client module. Generated: see tools/gen-models.py. */
import type { LocalCommand, LocalError } from '../../src/wire/typed.ts'

export type ASN1Subject = { Country?: string | undefined; Organization?: string | undefined; OrganizationalUnit?: string | undefined; DistinguishedNameQualifier?: string | undefined; State?: string | undefined; CommonName?: string | undefined; SerialNumber?: string | undefined; Locality?: string | undefined; Title?: string | undefined; Surname?: string | undefined; GivenName?: string | undefined; Initials?: string | undefined; Pseudonym?: string | undefined; GenerationQualifier?: string | undefined; CustomAttributes?: CustomAttribute[] | undefined }
export type AccessDescription = { AccessMethod: AccessMethod | undefined; AccessLocation: GeneralName | undefined }
export type AccessMethod = { CustomObjectIdentifier?: string | undefined; AccessMethodType?: 'CA_REPOSITORY' | 'RESOURCE_PKI_MANIFEST' | 'RESOURCE_PKI_NOTIFY' | undefined }
export type ApiPassthrough = { Extensions?: Extensions | undefined; Subject?: ASN1Subject | undefined }
export type CertificateAuthority = { Arn?: string | undefined; OwnerAccount?: string | undefined; CreatedAt?: Date | undefined; LastStateChangeAt?: Date | undefined; Type?: 'ROOT' | 'SUBORDINATE' | undefined; Serial?: string | undefined; Status?: 'CREATING' | 'PENDING_CERTIFICATE' | 'ACTIVE' | 'DELETED' | 'DISABLED' | 'EXPIRED' | 'FAILED' | undefined; NotBefore?: Date | undefined; NotAfter?: Date | undefined; FailureReason?: 'REQUEST_TIMED_OUT' | 'UNSUPPORTED_ALGORITHM' | 'OTHER' | undefined; CertificateAuthorityConfiguration?: CertificateAuthorityConfiguration | undefined; RevocationConfiguration?: RevocationConfiguration | undefined; RestorableUntil?: Date | undefined; KeyStorageSecurityStandard?: 'FIPS_140_2_LEVEL_2_OR_HIGHER' | 'FIPS_140_2_LEVEL_3_OR_HIGHER' | 'CCPC_LEVEL_1_OR_HIGHER' | undefined; UsageMode?: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE' | undefined }
export type CertificateAuthorityConfiguration = { KeyAlgorithm: 'RSA_2048' | 'RSA_3072' | 'RSA_4096' | 'EC_prime256v1' | 'EC_secp384r1' | 'EC_secp521r1' | 'ML_DSA_44' | 'ML_DSA_65' | 'ML_DSA_87' | 'SM2' | undefined; SigningAlgorithm: 'SHA256WITHECDSA' | 'SHA384WITHECDSA' | 'SHA512WITHECDSA' | 'SHA256WITHRSA' | 'SHA384WITHRSA' | 'SHA512WITHRSA' | 'SM3WITHSM2' | 'ML_DSA_44' | 'ML_DSA_65' | 'ML_DSA_87' | undefined; Subject: ASN1Subject | undefined; CsrExtensions?: CsrExtensions | undefined }
export declare const CertificateMismatchException: LocalError<'CertificateMismatchException'>
export declare const ConcurrentModificationException: LocalError<'ConcurrentModificationException'>
export type CreateCertificateAuthorityAuditReportRequest = { CertificateAuthorityArn: string | undefined; S3BucketName: string | undefined; AuditReportResponseFormat: 'JSON' | 'CSV' | undefined }
export type CreateCertificateAuthorityAuditReportResponse = { AuditReportId?: string | undefined; S3Key?: string | undefined }
export type CreateCertificateAuthorityRequest = { CertificateAuthorityConfiguration: CertificateAuthorityConfiguration | undefined; RevocationConfiguration?: RevocationConfiguration | undefined; CertificateAuthorityType: 'ROOT' | 'SUBORDINATE' | undefined; IdempotencyToken?: string | undefined; KeyStorageSecurityStandard?: 'FIPS_140_2_LEVEL_2_OR_HIGHER' | 'FIPS_140_2_LEVEL_3_OR_HIGHER' | 'CCPC_LEVEL_1_OR_HIGHER' | undefined; Tags?: Tag[] | undefined; UsageMode?: 'GENERAL_PURPOSE' | 'SHORT_LIVED_CERTIFICATE' | undefined }
export type CreateCertificateAuthorityResponse = { CertificateAuthorityArn?: string | undefined }
export type CreatePermissionRequest = { CertificateAuthorityArn: string | undefined; Principal: string | undefined; SourceAccount?: string | undefined; Actions: ('IssueCertificate' | 'GetCertificate' | 'ListPermissions')[] | undefined }
export type CrlConfiguration = { Enabled: boolean | undefined; ExpirationInDays?: number | undefined; CustomCname?: string | undefined; S3BucketName?: string | undefined; S3ObjectAcl?: 'PUBLIC_READ' | 'BUCKET_OWNER_FULL_CONTROL' | undefined; CrlDistributionPointExtensionConfiguration?: CrlDistributionPointExtensionConfiguration | undefined; CrlType?: 'COMPLETE' | 'PARTITIONED' | undefined; CustomPath?: string | undefined }
export type CrlDistributionPointExtensionConfiguration = { OmitExtension: boolean | undefined }
export type CsrExtensions = { KeyUsage?: KeyUsage | undefined; SubjectInformationAccess?: AccessDescription[] | undefined }
export type CustomAttribute = { ObjectIdentifier: string | undefined; Value: string | undefined }
export type CustomExtension = { ObjectIdentifier: string | undefined; Value: string | undefined; Critical?: boolean | undefined }
export type DeleteCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined; PermanentDeletionTimeInDays?: number | undefined }
export type DeletePermissionRequest = { CertificateAuthorityArn: string | undefined; Principal: string | undefined; SourceAccount?: string | undefined }
export type DeletePolicyRequest = { ResourceArn: string | undefined }
export type DescribeCertificateAuthorityAuditReportRequest = { CertificateAuthorityArn: string | undefined; AuditReportId: string | undefined }
export type DescribeCertificateAuthorityAuditReportResponse = { AuditReportStatus?: 'CREATING' | 'SUCCESS' | 'FAILED' | undefined; S3BucketName?: string | undefined; S3Key?: string | undefined; CreatedAt?: Date | undefined }
export type DescribeCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined }
export type DescribeCertificateAuthorityResponse = { CertificateAuthority?: CertificateAuthority | undefined }
export type EdiPartyName = { PartyName: string | undefined; NameAssigner?: string | undefined }
export type ExtendedKeyUsage = { ExtendedKeyUsageType?: 'SERVER_AUTH' | 'CLIENT_AUTH' | 'CODE_SIGNING' | 'EMAIL_PROTECTION' | 'TIME_STAMPING' | 'OCSP_SIGNING' | 'SMART_CARD_LOGIN' | 'DOCUMENT_SIGNING' | 'CERTIFICATE_TRANSPARENCY' | undefined; ExtendedKeyUsageObjectIdentifier?: string | undefined }
export type Extensions = { CertificatePolicies?: PolicyInformation[] | undefined; ExtendedKeyUsage?: ExtendedKeyUsage[] | undefined; KeyUsage?: KeyUsage | undefined; SubjectAlternativeNames?: GeneralName[] | undefined; CustomExtensions?: CustomExtension[] | undefined }
export type GeneralName = { OtherName?: OtherName | undefined; Rfc822Name?: string | undefined; DnsName?: string | undefined; DirectoryName?: ASN1Subject | undefined; EdiPartyName?: EdiPartyName | undefined; UniformResourceIdentifier?: string | undefined; IpAddress?: string | undefined; RegisteredId?: string | undefined }
export type GetCertificateAuthorityCertificateRequest = { CertificateAuthorityArn: string | undefined }
export type GetCertificateAuthorityCertificateResponse = { Certificate?: string | undefined; CertificateChain?: string | undefined }
export type GetCertificateAuthorityCsrRequest = { CertificateAuthorityArn: string | undefined }
export type GetCertificateAuthorityCsrResponse = { Csr?: string | undefined }
export type GetCertificateRequest = { CertificateAuthorityArn: string | undefined; CertificateArn: string | undefined }
export type GetCertificateResponse = { Certificate?: string | undefined; CertificateChain?: string | undefined }
export type GetPolicyRequest = { ResourceArn: string | undefined }
export type GetPolicyResponse = { Policy?: string | undefined }
export type ImportCertificateAuthorityCertificateRequest = { CertificateAuthorityArn: string | undefined; Certificate: Uint8Array | undefined; CertificateChain?: Uint8Array | undefined }
export declare const InvalidArgsException: LocalError<'InvalidArgsException'>
export declare const InvalidArnException: LocalError<'InvalidArnException'>
export declare const InvalidNextTokenException: LocalError<'InvalidNextTokenException'>
export declare const InvalidPolicyException: LocalError<'InvalidPolicyException'>
export declare const InvalidRequestException: LocalError<'InvalidRequestException'>
export declare const InvalidStateException: LocalError<'InvalidStateException'>
export declare const InvalidTagException: LocalError<'InvalidTagException'>
export type IssueCertificateRequest = { ApiPassthrough?: ApiPassthrough | undefined; CertificateAuthorityArn: string | undefined; Csr: Uint8Array | undefined; SigningAlgorithm: 'SHA256WITHECDSA' | 'SHA384WITHECDSA' | 'SHA512WITHECDSA' | 'SHA256WITHRSA' | 'SHA384WITHRSA' | 'SHA512WITHRSA' | 'SM3WITHSM2' | 'ML_DSA_44' | 'ML_DSA_65' | 'ML_DSA_87' | undefined; TemplateArn?: string | undefined; Validity: Validity | undefined; ValidityNotBefore?: Validity | undefined; IdempotencyToken?: string | undefined }
export type IssueCertificateResponse = { CertificateArn?: string | undefined }
export type KeyUsage = { DigitalSignature?: boolean | undefined; NonRepudiation?: boolean | undefined; KeyEncipherment?: boolean | undefined; DataEncipherment?: boolean | undefined; KeyAgreement?: boolean | undefined; KeyCertSign?: boolean | undefined; CRLSign?: boolean | undefined; EncipherOnly?: boolean | undefined; DecipherOnly?: boolean | undefined }
export declare const LimitExceededException: LocalError<'LimitExceededException'>
export type ListCertificateAuthoritiesRequest = { MaxResults?: number | undefined; NextToken?: string | undefined; ResourceOwner?: 'SELF' | 'OTHER_ACCOUNTS' | undefined }
export type ListCertificateAuthoritiesResponse = { NextToken?: string | undefined; CertificateAuthorities?: CertificateAuthority[] | undefined }
export type ListPermissionsRequest = { MaxResults?: number | undefined; NextToken?: string | undefined; CertificateAuthorityArn: string | undefined }
export type ListPermissionsResponse = { NextToken?: string | undefined; Permissions?: Permission[] | undefined }
export type ListTagsRequest = { MaxResults?: number | undefined; NextToken?: string | undefined; CertificateAuthorityArn: string | undefined }
export type ListTagsResponse = { NextToken?: string | undefined; Tags?: Tag[] | undefined }
export declare const LockoutPreventedException: LocalError<'LockoutPreventedException'>
export declare const MalformedCSRException: LocalError<'MalformedCSRException'>
export declare const MalformedCertificateException: LocalError<'MalformedCertificateException'>
export type OcspConfiguration = { Enabled: boolean | undefined; OcspCustomCname?: string | undefined }
export type OtherName = { TypeId: string | undefined; Value: string | undefined }
export type Permission = { CertificateAuthorityArn?: string | undefined; CreatedAt?: Date | undefined; Principal?: string | undefined; SourceAccount?: string | undefined; Actions?: ('IssueCertificate' | 'GetCertificate' | 'ListPermissions')[] | undefined; Policy?: string | undefined }
export declare const PermissionAlreadyExistsException: LocalError<'PermissionAlreadyExistsException'>
export type PolicyInformation = { CertPolicyId: string | undefined; PolicyQualifiers?: PolicyQualifierInfo[] | undefined }
export type PolicyQualifierInfo = { PolicyQualifierId: 'CPS' | undefined; Qualifier: Qualifier | undefined }
export type PutPolicyRequest = { ResourceArn: string | undefined; Policy: string | undefined }
export type Qualifier = { CpsUri: string | undefined }
export declare const RequestAlreadyProcessedException: LocalError<'RequestAlreadyProcessedException'>
export declare const RequestFailedException: LocalError<'RequestFailedException'>
export declare const RequestInProgressException: LocalError<'RequestInProgressException'>
export declare const ResourceNotFoundException: LocalError<'ResourceNotFoundException'>
export type RestoreCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined }
export type RevocationConfiguration = { CrlConfiguration?: CrlConfiguration | undefined; OcspConfiguration?: OcspConfiguration | undefined }
export type RevokeCertificateRequest = { CertificateAuthorityArn: string | undefined; CertificateSerial: string | undefined; RevocationReason: 'UNSPECIFIED' | 'KEY_COMPROMISE' | 'CERTIFICATE_AUTHORITY_COMPROMISE' | 'AFFILIATION_CHANGED' | 'SUPERSEDED' | 'CESSATION_OF_OPERATION' | 'PRIVILEGE_WITHDRAWN' | 'A_A_COMPROMISE' | undefined }
export type Tag = { Key: string | undefined; Value?: string | undefined }
export type TagCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined; Tags: Tag[] | undefined }
export declare const TooManyTagsException: LocalError<'TooManyTagsException'>
export type UntagCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined; Tags: Tag[] | undefined }
export type UpdateCertificateAuthorityRequest = { CertificateAuthorityArn: string | undefined; RevocationConfiguration?: RevocationConfiguration | undefined; Status?: 'CREATING' | 'PENDING_CERTIFICATE' | 'ACTIVE' | 'DELETED' | 'DISABLED' | 'EXPIRED' | 'FAILED' | undefined }
export type Validity = { Value: number | undefined; Type: 'END_DATE' | 'ABSOLUTE' | 'DAYS' | 'MONTHS' | 'YEARS' | undefined }
export declare const CreateCertificateAuthorityCommand: LocalCommand<CreateCertificateAuthorityRequest, CreateCertificateAuthorityResponse>
export declare const CreateCertificateAuthorityAuditReportCommand: LocalCommand<CreateCertificateAuthorityAuditReportRequest, CreateCertificateAuthorityAuditReportResponse>
export declare const CreatePermissionCommand: LocalCommand<CreatePermissionRequest, {}>
export declare const DeleteCertificateAuthorityCommand: LocalCommand<DeleteCertificateAuthorityRequest, {}>
export declare const DeletePermissionCommand: LocalCommand<DeletePermissionRequest, {}>
export declare const DeletePolicyCommand: LocalCommand<DeletePolicyRequest, {}>
export declare const DescribeCertificateAuthorityCommand: LocalCommand<DescribeCertificateAuthorityRequest, DescribeCertificateAuthorityResponse>
export declare const DescribeCertificateAuthorityAuditReportCommand: LocalCommand<DescribeCertificateAuthorityAuditReportRequest, DescribeCertificateAuthorityAuditReportResponse>
export declare const GetCertificateCommand: LocalCommand<GetCertificateRequest, GetCertificateResponse>
export declare const GetCertificateAuthorityCertificateCommand: LocalCommand<GetCertificateAuthorityCertificateRequest, GetCertificateAuthorityCertificateResponse>
export declare const GetCertificateAuthorityCsrCommand: LocalCommand<GetCertificateAuthorityCsrRequest, GetCertificateAuthorityCsrResponse>
export declare const GetPolicyCommand: LocalCommand<GetPolicyRequest, GetPolicyResponse>
export declare const ImportCertificateAuthorityCertificateCommand: LocalCommand<ImportCertificateAuthorityCertificateRequest, {}>
export declare const IssueCertificateCommand: LocalCommand<IssueCertificateRequest, IssueCertificateResponse>
export declare const ListCertificateAuthoritiesCommand: LocalCommand<ListCertificateAuthoritiesRequest, ListCertificateAuthoritiesResponse>
export declare const ListPermissionsCommand: LocalCommand<ListPermissionsRequest, ListPermissionsResponse>
export declare const ListTagsCommand: LocalCommand<ListTagsRequest, ListTagsResponse>
export declare const PutPolicyCommand: LocalCommand<PutPolicyRequest, {}>
export declare const RestoreCertificateAuthorityCommand: LocalCommand<RestoreCertificateAuthorityRequest, {}>
export declare const RevokeCertificateCommand: LocalCommand<RevokeCertificateRequest, {}>
export declare const TagCertificateAuthorityCommand: LocalCommand<TagCertificateAuthorityRequest, {}>
export declare const UntagCertificateAuthorityCommand: LocalCommand<UntagCertificateAuthorityRequest, {}>
export declare const UpdateCertificateAuthorityCommand: LocalCommand<UpdateCertificateAuthorityRequest, {}>
