type Document = Readonly<Record<string, unknown>>;

const resources = {
  management: 'https://management.azure.com/',
  classicManagement: 'https://management.core.windows.net/',
};

/**
 * The description of this cloud, in the form of the version asked for: before 2018 the flat one that
 * `az cloud register` reads, then a list of clouds, from 2022 on one cloud (terraform, newer releases of `az`).
 */
export function cloudMetadata(
  origin: string,
  tenantId: string,
  apiVersion: string,
): Document | readonly Document[] {
  if (apiVersion < '2018') return flat(origin, tenantId);
  const cloud = described(origin, tenantId);
  return apiVersion < '2022' ? [cloud] : cloud;
}

/** The ADFS spelling of the authority: with any other one this `az` asks login.microsoftonline.com about it first. */
function flat(origin: string, tenantId: string): Document {
  return {
    ...described(origin, tenantId),
    galleryEndpoint: origin,
    graphEndpoint: origin,
    portalEndpoint: origin,
    authentication: {
      loginEndpoint: `${origin}/adfs`,
      audiences: [resources.management],
      tenant: tenantId,
      identityProvider: 'ADFS',
    },
  };
}

/** What is not emulated keeps the ids that it has in Azure, so that nothing is missing and nothing is answered. */
function described(origin: string, tenantId: string): Document {
  return {
    name: 'AzureLocal',
    portal: origin,
    gallery: origin,
    authentication: {
      loginEndpoint: origin,
      audiences: [resources.management, resources.classicManagement],
      tenant: tenantId,
      identityProvider: 'AAD',
    },
    resourceManager: origin,
    graph: origin,
    graphAudience: origin,
    microsoftGraphResourceId: 'https://graph.microsoft.com/',
    sqlManagement: origin,
    batch: 'https://batch.core.windows.net/',
    media: 'https://rest.media.azure.net',
    activeDirectoryDataLake: 'https://datalake.azure.net/',
    vmImageAliasDoc: `${origin}/metadata/aliases.json`,
    appInsightsResourceId: 'https://api.applicationinsights.io',
    appInsightsTelemetryChannelResourceId: 'https://dc.applicationinsights.azure.com/v2/track',
    attestationResourceId: 'https://attest.azure.net',
    synapseAnalyticsResourceId: 'https://dev.azuresynapse.net',
    logAnalyticsResourceId: 'https://api.loganalytics.io',
    ossrDbmsResourceId: 'https://ossrdbms-aad.database.windows.net',
    suffixes: {
      // Vaults and accounts live on ports of this host; the others are nowhere.
      keyVaultDns: 'localhost',
      storage: 'localhost',
      acrLoginServer: 'localhost',
      mhsmDns: 'managedhsm.localhost',
      sqlServerHostname: 'database.localhost',
      mysqlServerEndpoint: 'mysql.database.localhost',
      postgresqlServerEndpoint: 'postgres.database.localhost',
      mariadbServerEndpoint: 'mariadb.database.localhost',
      synapseAnalytics: 'dev.azuresynapse.localhost',
      attestationEndpoint: 'attest.localhost',
      azureDataLakeStoreFileSystem: 'azuredatalakestore.localhost',
      azureDataLakeAnalyticsCatalogAndJob: 'azuredatalakeanalytics.localhost',
      azureFrontDoorEndpointSuffix: 'azurefd.localhost',
      storageSyncEndpointSuffix: 'afs.localhost',
    },
  };
}
