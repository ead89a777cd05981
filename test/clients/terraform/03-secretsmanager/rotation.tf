resource "aws_iam_role_policy" "rot" {
  name   = "secrets"
  role   = aws_iam_role.rot.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "secretsmanager:*", Resource = "*" }] })
}
resource "aws_lambda_function" "rot" {
  function_name    = "template"
  role             = aws_iam_role.rot.arn
  runtime          = "python3.11"
  handler          = "lambda_function.lambda_handler"
  filename         = "template.zip"
  source_code_hash = filebase64sha256("template.zip")
  timeout          = 30
  environment { variables = { SECRETS_MANAGER_ENDPOINT = "http://127.0.0.1:4566" } }
}
resource "aws_lambda_permission" "rot" {
  statement_id  = "secrets"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.rot.function_name
  principal     = "secretsmanager.amazonaws.com"
}
resource "aws_secretsmanager_secret_rotation" "multi" {
  secret_id           = aws_secretsmanager_secret.multi.id
  rotation_lambda_arn = aws_lambda_function.rot.arn
  rotate_immediately  = false
  rotation_rules { automatically_after_days = 30 }
  depends_on = [aws_lambda_permission.rot, aws_secretsmanager_secret_version.staged]
}
