resource "aws_guardduty_detector" "d" {
  enable                       = true
  finding_publishing_frequency = var.rev == "1" ? "FIFTEEN_MINUTES" : "ONE_HOUR"
  datasources {
    s3_logs { enable = true }
    kubernetes {
      audit_logs { enable = false }
    }
  }
}
resource "aws_guardduty_filter" "f" {
  name        = "low"
  action      = "ARCHIVE"
  detector_id = aws_guardduty_detector.d.id
  rank        = 1
  finding_criteria {
    criterion {
      field  = "region"
      equals = ["eu-west-1"]
    }
    criterion {
      field     = "severity"
      less_than = "4"
    }
    criterion {
      field                 = "updatedAt"
      greater_than_or_equal = "2020-01-01T00:00:00Z"
    }
  }
}
resource "aws_s3_bucket" "l" {
  bucket        = "suite-gd-lists"
  force_destroy = true
}
resource "aws_s3_object" "ipset" {
  bucket  = aws_s3_bucket.l.id
  key     = "ips.txt"
  content = "192.0.2.0/24\n"
}
resource "aws_guardduty_ipset" "t" {
  activate    = var.rev == "1"
  detector_id = aws_guardduty_detector.d.id
  format      = "TXT"
  location    = "https://s3.amazonaws.com/${aws_s3_object.ipset.bucket}/${aws_s3_object.ipset.key}"
  name        = "trusted"
}
resource "aws_guardduty_threatintelset" "t" {
  activate    = true
  detector_id = aws_guardduty_detector.d.id
  format      = "TXT"
  location    = "https://s3.amazonaws.com/${aws_s3_object.ipset.bucket}/${aws_s3_object.ipset.key}"
  name        = "threats"
}
resource "aws_guardduty_member" "m" {
  account_id                 = "444455556666"
  detector_id                = aws_guardduty_detector.d.id
  email                      = "m@suite.test"
  invite                     = false
  disable_email_notification = true
}
resource "aws_guardduty_detector_feature" "f" {
  detector_id = aws_guardduty_detector.d.id
  name        = "RDS_LOGIN_EVENTS"
  status      = "ENABLED"
}
resource "aws_guardduty_publishing_destination" "p" {
  detector_id     = aws_guardduty_detector.d.id
  destination_arn = aws_s3_bucket.l.arn
  kms_key_arn     = aws_kms_key.k.arn
  depends_on      = [aws_s3_bucket_policy.l]
}
# Without these policies the destination stays in UNABLE_TO_PUBLISH_FIX_DESTINATION_PROPERTY.
resource "aws_s3_bucket_policy" "l" {
  bucket = aws_s3_bucket.l.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { Service = "guardduty.amazonaws.com" }
        Action    = "s3:GetBucketLocation"
        Resource  = aws_s3_bucket.l.arn
      },
      {
        Effect    = "Allow"
        Principal = { Service = "guardduty.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${aws_s3_bucket.l.arn}/*"
        Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
      },
    ]
  })
}
resource "aws_kms_key" "k" {
  deletion_window_in_days = 7
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect    = "Allow"
        Principal = { AWS = "arn:${data.aws_partition.p.partition}:iam::${local.account}:root" }
        Action    = "kms:*"
        Resource  = "*"
      },
      {
        Effect    = "Allow"
        Principal = { Service = "guardduty.amazonaws.com" }
        Action    = "kms:GenerateDataKey"
        Resource  = "*"
      },
    ]
  })
}
data "aws_guardduty_detector" "d" { 
  depends_on = [aws_guardduty_detector.d] 
}
