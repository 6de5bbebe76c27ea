package hgtest
import ("testing";"math/rand/v2";"os";"strconv";"time";"fmt";"strings";"sort")
func TestScratch(t *testing.T){
 n,_:=strconv.Atoi(os.Getenv("N")); hg:=os.Getenv("H"); if n==0 {t.Skip()}
 g:=NewGenerator(t,hg); real:=NewReal(t,hg)
 vs:=Variants(); var gen,info,run time.Duration; codes:=map[string]int{}; errs:=map[string]int{}; total:=0
 for i:=0;i<n;i++{ a:=time.Now(); dir:=g.New(t,uint64(i),vs[i%len(vs)]); b:=time.Now(); in:=Info(t,real,dir); c:=time.Now()
  var cmds []Command
  rng:=rand.New(rand.NewPCG(uint64(i),0))
  if os.Getenv("WIDE")!="" {cmds=WideCommands(rng,in,100)} else {cmds=RandomCommands(rng,in,100)}
  for _,cm:=range cmds { o,e,code,_,err:=real.Run(dir+"/"+cm.Sub,cm.Args,BaseEnv(cm.Env...)); if err!=nil{t.Fatal(err)}
   total++
   k:=commandWord(cm.Args)+" "+strconv.Itoa(code); if len(o)==0 {k+=" empty"}; codes[k]++
   if isCrash(e){ fmt.Println("CRASH",dir, cm, string(e)); }
   if len(e)>0 { m:=strings.SplitN(string(e),"\n",2)[0]; if j:=strings.IndexAny(m,"'\"/0123456789");j>0{m=m[:j]}; errs[m]++ }
  }
  d:=time.Now(); gen+=b.Sub(a);info+=c.Sub(b);run+=d.Sub(c) }
 fmt.Println(total,"gen",gen/time.Duration(n),"info",info/time.Duration(n),"run/cmd",run/time.Duration(total))
 pr:=func(m map[string]int){var ks []string;for k:=range m{ks=append(ks,k)};sort.Strings(ks);for _,k:=range ks{fmt.Printf("%5d %s\n",m[k],k)}}
 pr(codes);pr(errs)
}
