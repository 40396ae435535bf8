#!/usr/bin/env bash
# Hand the names of a service connection's identity (ids, no secrets) to the steps that follow.
#
# Usage: credentials.sh aks|eks|gke, within AzureCLI@2 with addSpnToEnvironment, which sets servicePrincipalId, tenantId and
# AZURESUBSCRIPTION_SERVICE_CONNECTION_ID.
set -euo pipefail

fail() {
    echo "##vso[task.logissue type=error]$*"
    exit 1
}

keep() {
    echo "##vso[task.setvariable variable=$1]$2"
}

needs() {
    local name
    for name in "$@"; do
        [[ -n ${!name:-} ]] || fail "pipelines/settings.yml gives $name no value, which $provider needs"
    done
}

provider=$1
[[ -z ${servicePrincipalKey:-} ]] || fail "the service connection has a secret: convert it to workload identity federation"
connection=${AZURESUBSCRIPTION_SERVICE_CONNECTION_ID:-}
[[ -n $connection ]] || fail "AzureCLI@2 does not name its service connection: is it one with workload identity federation?"

case $provider in
aks)
    keep ARM_ADO_PIPELINE_SERVICE_CONNECTION_ID "$connection"
    keep ARM_CLIENT_ID "$servicePrincipalId"
    keep ARM_TENANT_ID "$tenantId"
    subscription=$(az account show --query id --output tsv)
    keep ARM_SUBSCRIPTION_ID "$subscription"
    ;;
eks)
    needs AWS_ROLE_ARN
    keep AWS_SERVICE_CONNECTION_ID "$connection"
    ;;
gke)
    needs GOOGLE_PROJECT GOOGLE_IDENTITY_PROVIDER GOOGLE_SERVICE_ACCOUNT
    file=$AGENT_TEMPDIRECTORY/google-identity.json
    cat >"$file" <<JSON
{
  "type": "external_account",
  "audience": "//iam.googleapis.com/$GOOGLE_IDENTITY_PROVIDER",
  "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
  "token_url": "https://sts.googleapis.com/v1/token",
  "service_account_impersonation_url": "https://iamcredentials.googleapis.com/v1/projects/-/serviceAccounts/$GOOGLE_SERVICE_ACCOUNT:generateAccessToken",
  "credential_source": {
    "executable": {
      "command": "$BUILD_SOURCESDIRECTORY/.venv/bin/python $BUILD_SOURCESDIRECTORY/steps/infrastructure/federated_token.py",
      "timeout_millis": 30000
    }
  }
}
JSON
    keep TELESCOPE_SERVICE_CONNECTION_ID "$connection"
    keep GOOGLE_APPLICATION_CREDENTIALS "$file"
    keep GOOGLE_EXTERNAL_ACCOUNT_ALLOW_EXECUTABLES 1
    ;;
*)
    fail "credentials.sh: $provider is no cloud; known are aks, eks, gke"
    ;;
esac
