# Log groups as teams write them: encrypted under a key of their own, kept for some days, written to by services of AWS.
locals { group = "arn:aws:logs:us-east-1:${local.account}:log-group:/suite/orders" }
data "aws_iam_policy_document" "key" {
  statement {
    actions   = ["kms:*"]
    resources = ["*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::${local.account}:root"]
    }
  }
  statement {
    actions   = ["kms:Encrypt*", "kms:Decrypt*", "kms:GenerateDataKey*", "kms:Describe*"]
    resources = ["*"]
    principals {
      type        = "Service"
      identifiers = ["logs.us-east-1.amazonaws.com"]
    }
    condition {
      test     = "ArnEquals"
      variable = "kms:EncryptionContext:aws:logs:arn"
      values   = [local.group]
    }
  }
}
resource "aws_kms_key" "logs" {
  policy                  = data.aws_iam_policy_document.key.json
  deletion_window_in_days = 7
}
resource "aws_cloudwatch_log_group" "orders" {
  name              = "/suite/orders"
  retention_in_days = var.rev == "1" ? 30 : 90
  kms_key_id        = var.rev == "1" ? aws_kms_key.logs.arn : null
  tags              = { team = "blue", rev = var.rev }
}
resource "aws_cloudwatch_log_group" "plain" {
  name_prefix       = "suite-"
  retention_in_days = var.rev == "1" ? 7 : 0
  log_group_class   = "INFREQUENT_ACCESS"
}
resource "aws_cloudwatch_log_stream" "node" {
  name           = "node/${var.rev}"
  log_group_name = aws_cloudwatch_log_group.orders.name
}
data "aws_iam_policy_document" "delivery" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["${aws_cloudwatch_log_group.orders.arn}:log-stream:${var.rev == "1" ? "*" : "node/*"}"]
    principals {
      type        = "Service"
      identifiers = ["delivery.logs.amazonaws.com"]
    }
  }
}
resource "aws_cloudwatch_log_resource_policy" "delivery" {
  policy_name     = "suite-delivery"
  policy_document = data.aws_iam_policy_document.delivery.json
}
data "aws_cloudwatch_log_groups" "all" {
  log_group_name_prefix = "/suite/"
  depends_on            = [aws_cloudwatch_log_group.orders]
}
output "groups" { value = data.aws_cloudwatch_log_groups.all.log_group_names }

# What is delivered into log groups: flow logs, logs of a web ACL and a trail.
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["vpc-flow-logs.amazonaws.com", "cloudtrail.amazonaws.com"]
    }
  }
}
data "aws_iam_policy_document" "write" {
  statement {
    actions   = ["logs:CreateLogStream", "logs:PutLogEvents"]
    resources = ["arn:aws:logs:us-east-1:${local.account}:log-group:*"]
  }
}
resource "aws_iam_role" "delivery" {
  name               = "suite-delivery"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
resource "aws_iam_role_policy" "delivery" {
  role   = aws_iam_role.delivery.name
  policy = data.aws_iam_policy_document.write.json
}
resource "aws_cloudwatch_log_group" "delivered" {
  for_each = toset(["suite-flows", "aws-waf-logs-suite", "suite-trail"])
  name     = each.key
}
resource "aws_vpc" "main" {
  cidr_block = "10.0.0.0/16"
}
resource "aws_flow_log" "accepted" {
  vpc_id                   = aws_vpc.main.id
  traffic_type             = "ACCEPT"
  iam_role_arn             = aws_iam_role.delivery.arn
  log_destination          = aws_cloudwatch_log_group.delivered["suite-flows"].arn
  max_aggregation_interval = var.rev == "1" ? 600 : 60
  log_format               = "$${version} $${interface-id} $${srcaddr} $${dstaddr} $${action}"
}
resource "aws_wafv2_web_acl" "acl" {
  name  = "suite"
  scope = "REGIONAL"
  default_action {
    allow {}
  }
  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = "acl"
    sampled_requests_enabled   = true
  }
}
resource "aws_wafv2_web_acl_logging_configuration" "logs" {
  log_destination_configs = [aws_cloudwatch_log_group.delivered["aws-waf-logs-suite"].arn]
  resource_arn            = aws_wafv2_web_acl.acl.arn
}
resource "aws_s3_bucket" "trail" {
  bucket        = "suite-logs-trail"
  force_destroy = true
}
data "aws_iam_policy_document" "trail" {
  statement {
    actions   = ["s3:GetBucketAcl", "s3:PutObject"]
    resources = [aws_s3_bucket.trail.arn, "${aws_s3_bucket.trail.arn}/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
  }
}
resource "aws_s3_bucket_policy" "trail" {
  bucket = aws_s3_bucket.trail.id
  policy = data.aws_iam_policy_document.trail.json
}
resource "aws_cloudtrail" "suite" {
  name                       = "suite-logs"
  s3_bucket_name             = aws_s3_bucket.trail.id
  cloud_watch_logs_group_arn = var.rev == "1" ? "${aws_cloudwatch_log_group.delivered["suite-trail"].arn}:*" : null
  cloud_watch_logs_role_arn  = var.rev == "1" ? aws_iam_role.delivery.arn : null
  depends_on                 = [aws_s3_bucket_policy.trail, aws_iam_role_policy.delivery]
}
