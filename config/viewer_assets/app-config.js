// The viewer talks to one archive: ours, on this very origin.
window.config = {
  name: "collimate",
  routerBasename: "@@MOUNT@@",
  extensions: [],
  modes: [],
  customizationService: {
    global: {
      "ohif.tours": { $set: [] },
      "studyBrowser.studyMode": { $set: "primary" },
      // Pictures taken of the screen would leave without a decision.
      "cornerstone.toolbarSections": {
        $apply: (sections) =>
          Object.fromEntries(
            Object.entries(sections).map(([name, buttons]) => [
              name,
              Array.isArray(buttons) ? buttons.filter((one) => one !== "Capture") : buttons,
            ]),
          ),
      },
    },
  },
  whiteLabeling: {
    createLogoComponentFn: (React) => {
      const study = new URLSearchParams(location.search).get("StudyInstanceUIDs");
      return React.createElement(
        "a",
        { href: study ? `/studies/${encodeURIComponent(study)}/` : "/", className: "portal-back" },
        "← Collimate",
      );
    },
  },
  showStudyList: false,
  maxNumberOfWebWorkers: 2,
  showWarningMessageForCrossOrigin: false,
  showCPUFallbackMessage: true,
  showLoadingIndicator: true,
  strictZSpacingForVolumeViewport: true,
  investigationalUseDialog: { option: "never" },
  showErrorDetails: "production",
  maxNumRequests: { interaction: 20, thumbnail: 4, prefetch: 8 },
  defaultDataSourceName: "collimate",
  dataSources: [
    {
      namespace: "@ohif/extension-default.dataSourcesModule.dicomweb",
      sourceName: "collimate",
      configuration: {
        friendlyName: "Collimate",
        name: "collimate",
        qidoRoot: "/dicom-web",
        wadoRoot: "/dicom-web",
        wadoUriRoot: "/dicom-web",
        qidoSupportsIncludeField: false,
        supportsReject: false,
        imageRendering: "wadors",
        thumbnailRendering: "thumbnail",
        thumbnailRequestStrategy: "fetch",
        enableStudyLazyLoad: true,
        supportsFuzzyMatching: false,
        supportsWildcard: false,
        dicomUploadEnabled: false,
        singlepart: "pdf,video",
        bulkDataURI: { enabled: true },
        omitQuotationForMultipartRequest: true,
      },
    },
  ],
};
