/** The types of cloudhsmv2, in the form of an official client module. Generated: see tools/gen-models.py. */
import type { LocalCommand, LocalError } from '../../src/wire/typed.ts'

export type Backup = { BackupId: string | undefined; BackupArn?: string | undefined; BackupState?: 'CREATE_IN_PROGRESS' | 'READY' | 'DELETED' | 'PENDING_DELETION' | undefined; ClusterId?: string | undefined; CreateTimestamp?: Date | undefined; CopyTimestamp?: Date | undefined; NeverExpires?: boolean | undefined; SourceRegion?: string | undefined; SourceBackup?: string | undefined; SourceCluster?: string | undefined; DeleteTimestamp?: Date | undefined; TagList?: Tag[] | undefined; HsmType?: string | undefined; Mode?: 'FIPS' | 'NON_FIPS' | undefined }
export type BackupRetentionPolicy = { Type?: 'DAYS' | undefined; Value?: string | undefined }
export type Certificates = { ClusterCsr?: string | undefined; HsmCertificate?: string | undefined; AwsHardwareCertificate?: string | undefined; ManufacturerHardwareCertificate?: string | undefined; ClusterCertificate?: string | undefined }
export declare const CloudHsmAccessDeniedException: LocalError<'CloudHsmAccessDeniedException'>
export declare const CloudHsmInternalFailureException: LocalError<'CloudHsmInternalFailureException'>
export declare const CloudHsmInvalidRequestException: LocalError<'CloudHsmInvalidRequestException'>
export declare const CloudHsmResourceLimitExceededException: LocalError<'CloudHsmResourceLimitExceededException'>
export declare const CloudHsmResourceNotFoundException: LocalError<'CloudHsmResourceNotFoundException'>
export declare const CloudHsmServiceException: LocalError<'CloudHsmServiceException'>
export declare const CloudHsmTagException: LocalError<'CloudHsmTagException'>
export type Cluster = { BackupPolicy?: 'DEFAULT' | undefined; BackupRetentionPolicy?: BackupRetentionPolicy | undefined; ClusterId?: string | undefined; CreateTimestamp?: Date | undefined; Hsms?: Hsm[] | undefined; HsmType?: string | undefined; HsmTypeRollbackExpiration?: Date | undefined; PreCoPassword?: string | undefined; SecurityGroup?: string | undefined; SourceBackupId?: string | undefined; State?: 'CREATE_IN_PROGRESS' | 'UNINITIALIZED' | 'INITIALIZE_IN_PROGRESS' | 'INITIALIZED' | 'ACTIVE' | 'UPDATE_IN_PROGRESS' | 'MODIFY_IN_PROGRESS' | 'ROLLBACK_IN_PROGRESS' | 'DELETE_IN_PROGRESS' | 'DELETED' | 'DEGRADED' | undefined; StateMessage?: string | undefined; SubnetMapping?: Record<string, string> | undefined; VpcId?: string | undefined; NetworkType?: 'IPV4' | 'DUALSTACK' | undefined; Certificates?: Certificates | undefined; TagList?: Tag[] | undefined; Mode?: 'FIPS' | 'NON_FIPS' | undefined }
export type CopyBackupToRegionRequest = { DestinationRegion: string | undefined; BackupId: string | undefined; TagList?: Tag[] | undefined }
export type CopyBackupToRegionResponse = { DestinationBackup?: DestinationBackup | undefined }
export type CreateClusterRequest = { BackupRetentionPolicy?: BackupRetentionPolicy | undefined; HsmType: string | undefined; SourceBackupId?: string | undefined; SubnetIds: (string)[] | undefined; NetworkType?: 'IPV4' | 'DUALSTACK' | undefined; TagList?: Tag[] | undefined; Mode?: 'FIPS' | 'NON_FIPS' | undefined }
export type CreateClusterResponse = { Cluster?: Cluster | undefined }
export type CreateHsmRequest = { ClusterId: string | undefined; AvailabilityZone: string | undefined; IpAddress?: string | undefined }
export type CreateHsmResponse = { Hsm?: Hsm | undefined }
export type DeleteBackupRequest = { BackupId: string | undefined }
export type DeleteBackupResponse = { Backup?: Backup | undefined }
export type DeleteClusterRequest = { ClusterId: string | undefined }
export type DeleteClusterResponse = { Cluster?: Cluster | undefined }
export type DeleteHsmRequest = { ClusterId: string | undefined; HsmId?: string | undefined; EniId?: string | undefined; EniIp?: string | undefined }
export type DeleteHsmResponse = { HsmId?: string | undefined }
export type DeleteResourcePolicyRequest = { ResourceArn?: string | undefined }
export type DeleteResourcePolicyResponse = { ResourceArn?: string | undefined; Policy?: string | undefined }
export type DescribeBackupsRequest = { NextToken?: string | undefined; MaxResults?: number | undefined; Filters?: Record<string, (string)[]> | undefined; Shared?: boolean | undefined; SortAscending?: boolean | undefined }
export type DescribeBackupsResponse = { Backups?: Backup[] | undefined; NextToken?: string | undefined }
export type DescribeClustersRequest = { Filters?: Record<string, (string)[]> | undefined; NextToken?: string | undefined; MaxResults?: number | undefined }
export type DescribeClustersResponse = { Clusters?: Cluster[] | undefined; NextToken?: string | undefined }
export type DestinationBackup = { CreateTimestamp?: Date | undefined; SourceRegion?: string | undefined; SourceBackup?: string | undefined; SourceCluster?: string | undefined }
export type GetResourcePolicyRequest = { ResourceArn?: string | undefined }
export type GetResourcePolicyResponse = { Policy?: string | undefined }
export type Hsm = { AvailabilityZone?: string | undefined; ClusterId?: string | undefined; SubnetId?: string | undefined; EniId?: string | undefined; EniIp?: string | undefined; EniIpV6?: string | undefined; HsmId: string | undefined; HsmType?: string | undefined; State?: 'CREATE_IN_PROGRESS' | 'ACTIVE' | 'DEGRADED' | 'DELETE_IN_PROGRESS' | 'DELETED' | undefined; StateMessage?: string | undefined }
export type InitializeClusterRequest = { ClusterId: string | undefined; SignedCert: string | undefined; TrustAnchor: string | undefined }
export type InitializeClusterResponse = { State?: 'CREATE_IN_PROGRESS' | 'UNINITIALIZED' | 'INITIALIZE_IN_PROGRESS' | 'INITIALIZED' | 'ACTIVE' | 'UPDATE_IN_PROGRESS' | 'MODIFY_IN_PROGRESS' | 'ROLLBACK_IN_PROGRESS' | 'DELETE_IN_PROGRESS' | 'DELETED' | 'DEGRADED' | undefined; StateMessage?: string | undefined }
export type ListTagsRequest = { ResourceId: string | undefined; NextToken?: string | undefined; MaxResults?: number | undefined }
export type ListTagsResponse = { TagList: Tag[] | undefined; NextToken?: string | undefined }
export type ModifyBackupAttributesRequest = { BackupId: string | undefined; NeverExpires: boolean | undefined }
export type ModifyBackupAttributesResponse = { Backup?: Backup | undefined }
export type ModifyClusterRequest = { HsmType?: string | undefined; BackupRetentionPolicy?: BackupRetentionPolicy | undefined; ClusterId: string | undefined }
export type ModifyClusterResponse = { Cluster?: Cluster | undefined }
export type PutResourcePolicyRequest = { ResourceArn?: string | undefined; Policy?: string | undefined }
export type PutResourcePolicyResponse = { ResourceArn?: string | undefined; Policy?: string | undefined }
export type RestoreBackupRequest = { BackupId: string | undefined }
export type RestoreBackupResponse = { Backup?: Backup | undefined }
export type Tag = { Key: string | undefined; Value: string | undefined }
export type TagResourceRequest = { ResourceId: string | undefined; TagList: Tag[] | undefined }
export type TagResourceResponse = {  }
export type UntagResourceRequest = { ResourceId: string | undefined; TagKeyList: (string)[] | undefined }
export type UntagResourceResponse = {  }
export declare const CopyBackupToRegionCommand: LocalCommand<CopyBackupToRegionRequest, CopyBackupToRegionResponse>
export declare const CreateClusterCommand: LocalCommand<CreateClusterRequest, CreateClusterResponse>
export declare const CreateHsmCommand: LocalCommand<CreateHsmRequest, CreateHsmResponse>
export declare const DeleteBackupCommand: LocalCommand<DeleteBackupRequest, DeleteBackupResponse>
export declare const DeleteClusterCommand: LocalCommand<DeleteClusterRequest, DeleteClusterResponse>
export declare const DeleteHsmCommand: LocalCommand<DeleteHsmRequest, DeleteHsmResponse>
export declare const DeleteResourcePolicyCommand: LocalCommand<DeleteResourcePolicyRequest, DeleteResourcePolicyResponse>
export declare const DescribeBackupsCommand: LocalCommand<DescribeBackupsRequest, DescribeBackupsResponse>
export declare const DescribeClustersCommand: LocalCommand<DescribeClustersRequest, DescribeClustersResponse>
export declare const GetResourcePolicyCommand: LocalCommand<GetResourcePolicyRequest, GetResourcePolicyResponse>
export declare const InitializeClusterCommand: LocalCommand<InitializeClusterRequest, InitializeClusterResponse>
export declare const ListTagsCommand: LocalCommand<ListTagsRequest, ListTagsResponse>
export declare const ModifyBackupAttributesCommand: LocalCommand<ModifyBackupAttributesRequest, ModifyBackupAttributesResponse>
export declare const ModifyClusterCommand: LocalCommand<ModifyClusterRequest, ModifyClusterResponse>
export declare const PutResourcePolicyCommand: LocalCommand<PutResourcePolicyRequest, PutResourcePolicyResponse>
export declare const RestoreBackupCommand: LocalCommand<RestoreBackupRequest, RestoreBackupResponse>
export declare const TagResourceCommand: LocalCommand<TagResourceRequest, TagResourceResponse>
export declare const UntagResourceCommand: LocalCommand<UntagResourceRequest, UntagResourceResponse>
