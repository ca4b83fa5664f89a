document.title = "xs-ota";
