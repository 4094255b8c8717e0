// A managed identity for each service, which only the pods of its service account can become. No secret exists for it.
param location string
param prefix string

@description('The OIDC issuer of the cluster: az aks show --query oidcIssuerProfile.issuerUrl.')
param oidcIssuerUrl string

@description('The namespace and the service account of KEDA\'s operator, which counts messages under an identity of its own.')
param kedaSubject string

param kubernetesNamespace string

var roles = any(loadJsonContent('../../roles.json'))
var services = filter(items(roles.identities), identity => contains(identity.value, 'serviceAccount'))

resource identities 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = [for service in services: {
  name: '${prefix}-${service.key}'
  location: location
}]

resource federations 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = [for (service, index) in services: {
  parent: identities[index]
  name: 'kubernetes'
  properties: {
    issuer: oidcIssuerUrl
    subject: 'system:serviceaccount:${kubernetesNamespace}:${service.value.serviceAccount}'
    audiences: ['api://AzureADTokenExchange']
  }
}]

resource keda 'Microsoft.ManagedIdentity/userAssignedIdentities@2023-01-31' = {
  name: '${prefix}-keda'
  location: location
}

resource kedaFederation 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials@2023-01-31' = {
  parent: keda
  name: 'kubernetes'
  properties: {
    issuer: oidcIssuerUrl
    subject: kedaSubject
    audiences: ['api://AzureADTokenExchange']
  }
}

@description('Name, principal and client of each identity.')
output identities array = [for (service, index) in services: {
  name: service.key
  principalId: identities[index].properties.principalId
  clientId: identities[index].properties.clientId
}]

output keda object = {
  name: 'keda'
  principalId: keda.properties.principalId
  clientId: keda.properties.clientId
}
