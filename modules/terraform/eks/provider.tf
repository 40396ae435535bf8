# Credentials come from the environment: keys of a session, AWS_WEB_IDENTITY_TOKEN_FILE with AWS_ROLE_ARN, or a profile.

provider "aws" {
  region      = var.region
  max_retries = 10

  default_tags {
    tags = var.tags
  }
}
