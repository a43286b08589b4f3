from bench.dicomweb import main

main()
