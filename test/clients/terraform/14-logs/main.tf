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
