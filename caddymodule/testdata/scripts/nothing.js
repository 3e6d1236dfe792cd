const groups = [];
