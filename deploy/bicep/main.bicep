// What twinkey needs of Azure, in one resource group: Service Bus, a vault, a database, an identity for each service with
// the roles of deploy/roles.json. The cluster and the accounts under care exist already.
targetScope = 'resourceGroup'

@description('Begins the names of everything; the vault and the namespace need one that nobody else in Azure has.')
@minLength(3)
@maxLength(14)
param prefix string

param location string = resourceGroup().location

@description('The OIDC issuer of the cluster: az aks show --query oidcIssuerProfile.issuerUrl.')
param oidcIssuerUrl string

param kubernetesNamespace string = 'twinkey'

@description('The service account of KEDA\'s operator. The AKS add-on runs it in kube-system.')
param kedaSubject string = 'system:serviceaccount:kube-system:keda-operator'

@description('The accounts whose keys are rotated: subscriptionId, resourceGroup, name.')
param accounts array = []

@description('Let the scheduler list the accounts of this subscription, to find those with a tag.')
param discovery bool = false

@description('Let the console show dead letters of every queue and send them again.')
param deadLetters bool = true

@description('Hear of secrets and keys that were changed by hand within seconds, through Event Grid.')
param events bool = true

param databaseAdministratorId string
param databaseAdministratorName string

@description('Addresses from which the cluster goes out, for the firewalls of vault and database.')
param allowedAddresses array = []

@description('A Log Analytics workspace for logs and metrics; none when empty.')
param workspaceId string = ''

module customRoles 'modules/custom-roles.bicep' = {
  name: '${prefix}-roles'
  scope: subscription()
  params: {
    accountSubscriptionIds: map(accounts, account => account.subscriptionId)
  }
}

module identities 'modules/identities.bicep' = {
  name: '${prefix}-identities'
  params: {
    location: location
    prefix: prefix
    oidcIssuerUrl: oidcIssuerUrl
    kubernetesNamespace: kubernetesNamespace
    kedaSubject: kedaSubject
  }
}

module serviceBus 'modules/service-bus.bicep' = {
  name: '${prefix}-service-bus'
  params: {
    location: location
    name: '${prefix}-bus'
    workspaceId: workspaceId
  }
}

module serviceBusRoles 'modules/service-bus-roles.bicep' = {
  name: '${prefix}-service-bus-roles'
  params: {
    namespaceName: serviceBus.outputs.name
    identities: concat(identities.outputs.identities, [identities.outputs.keda])
    roleIds: customRoles.outputs.roleIds
    features: union(['autoscaling'], deadLetters ? ['dead-letters'] : [])
  }
}

module vault 'modules/key-vault.bicep' = {
  name: '${prefix}-vault'
  params: {
    location: location
    name: '${prefix}-keys'
    rotatorPrincipalId: principalOf.rotator
    roleIds: customRoles.outputs.roleIds
    allowedAddresses: allowedAddresses
    workspaceId: workspaceId
  }
}

module accountRoles 'modules/account-roles.bicep' = [for (account, index) in accounts: {
  name: '${prefix}-account-${index}'
  scope: resourceGroup(account.subscriptionId, account.resourceGroup)
  params: {
    accountName: account.name
    rotatorPrincipalId: principalOf.rotator
    schedulerPrincipalId: principalOf.scheduler
    roleIds: customRoles.outputs.roleIds
  }
}]

module discoveryRole 'modules/discovery-role.bicep' = if (discovery) {
  name: '${prefix}-discovery'
  scope: subscription()
  params: {
    schedulerPrincipalId: principalOf.scheduler
    roleIds: customRoles.outputs.roleIds
  }
}

module postgres 'modules/postgres.bicep' = {
  name: '${prefix}-postgres'
  params: {
    location: location
    name: '${prefix}-postgres'
    administratorId: databaseAdministratorId
    administratorName: databaseAdministratorName
    allowedAddresses: allowedAddresses
    workspaceId: workspaceId
  }
}

module eventGrid 'modules/events.bicep' = if (events) {
  name: '${prefix}-events'
  params: {
    location: location
    prefix: prefix
    vaultId: vault.outputs.id
    namespaceName: serviceBus.outputs.name
    queueId: serviceBus.outputs.eventsQueueId
    roleIds: customRoles.outputs.roleIds
  }
}

var principalOf = toObject(identities.outputs.identities, identity => identity.name, identity => identity.principalId)

@description('deploy/kubernetes/overlays/aks/settings.env, as it stands.')
output settings string = join([
  'TWINKEY_SERVICE_BUS_NAMESPACE=${serviceBus.outputs.host}'
  'TWINKEY_KEY_VAULT_URL=${vault.outputs.url}'
  'TWINKEY_API_AUDIENCE=api://twinkey'
  'TWINKEY_DATABASE_ENTRA=true'
  'AZURE_SUBSCRIPTION_ID=${subscription().subscriptionId}'
], '\n')

@description('deploy/kubernetes/overlays/aks/identities.env, as it stands.')
output identities string = join(
  map(concat(identities.outputs.identities, [identities.outputs.keda]), identity => '${identity.name}=${identity.clientId}'),
  '\n'
)

@description('deploy/kubernetes/overlays/aks/database.env, as it stands.')
output database string = join(
  map(identities.outputs.identities, identity => '${identity.name}=postgres://${identity.name}@${postgres.outputs.host}:5432/twinkey?sslmode=verify-full'),
  '\n'
)

@description('For the administrator to run in the database postgres: a role for each service, which its identity signs in as.')
output databaseRoles string = join(
  map(identities.outputs.identities, identity => 'select pgaadauth_create_principal_with_oid(\'${identity.name}\', \'${identity.principalId}\', \'service\', false, false);'),
  '\n'
)

output databaseHost string = postgres.outputs.host
