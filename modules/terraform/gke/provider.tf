# Credentials come from the environment: GOOGLE_APPLICATION_CREDENTIALS, GOOGLE_CREDENTIALS or the application default.

provider "google" {
  project        = var.project
  region         = var.region
  default_labels = var.tags
}
