/* theme.js - in the head, before the first paint: scripts are on. The look chosen on this device is a cookie, which the server reads. */
document.documentElement.classList.add('js');
