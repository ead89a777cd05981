# A trail as teams write it: its bucket, closed; the policy that lets CloudTrail in for this trail alone; selectors that change.
resource "aws_s3_bucket" "logs" {
  bucket        = "suite-trail-logs"
  force_destroy = true
  tags          = { team = "blue", rev = var.rev }
}
resource "aws_s3_bucket_public_access_block" "logs" {
  bucket                  = aws_s3_bucket.logs.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = var.rev == "1"
}
data "aws_iam_policy_document" "logs" {
  statement {
    actions   = ["s3:GetBucketAcl"]
    resources = [aws_s3_bucket.logs.arn]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:cloudtrail:us-east-1:${local.account}:trail/suite"]
    }
  }
  statement {
    actions   = ["s3:PutObject"]
    resources = ["${aws_s3_bucket.logs.arn}/rev-${var.rev}/AWSLogs/${local.account}/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
    condition {
      test     = "StringEquals"
      variable = "s3:x-amz-acl"
      values   = ["bucket-owner-full-control"]
    }
    condition {
      test     = "StringEquals"
      variable = "aws:SourceArn"
      values   = ["arn:aws:cloudtrail:us-east-1:${local.account}:trail/suite"]
    }
  }
}
resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.id
  policy = data.aws_iam_policy_document.logs.json
}
resource "aws_s3_object" "readme" {
  bucket  = aws_s3_bucket.logs.id
  key     = "README"
  content = "rev ${var.rev}"
}
resource "aws_cloudtrail" "suite" {
  name                          = "suite"
  s3_bucket_name                = aws_s3_bucket.logs.id
  s3_key_prefix                 = "rev-${var.rev}"
  is_multi_region_trail         = var.rev == "1"
  include_global_service_events = true
  enable_log_file_validation    = true
  enable_logging                = var.rev == "1"
  tags                          = { team = "blue" }
  dynamic "event_selector" {
    for_each = var.rev == "1" ? [1] : []
    content {
      read_write_type           = "WriteOnly"
      include_management_events = true
      data_resource {
        type   = "AWS::S3::Object"
        values = ["${aws_s3_bucket.logs.arn}/"]
      }
    }
  }
  dynamic "advanced_event_selector" {
    for_each = var.rev == "1" ? [] : [1]
    content {
      name = "writes"
      field_selector {
        field  = "eventCategory"
        equals = ["Management"]
      }
      field_selector {
        field  = "readOnly"
        equals = ["false"]
      }
    }
  }
  depends_on = [aws_s3_bucket_policy.logs]
}
