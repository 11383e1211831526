const fragment = await fetch('/Dashboard/Chart');
document.getElementById('chart').innerHTML = await fragment.text();
