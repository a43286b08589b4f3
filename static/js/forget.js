// htmx notes the address of every page in the tab's storage, and an address can hold a name that
// was searched for. We use none of its history, so nothing may lie there.
sessionStorage.removeItem("htmx-current-path-for-history");
